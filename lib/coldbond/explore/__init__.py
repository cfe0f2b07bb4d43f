"""The page of notebooks/explore.ipynb: one recording with a picture, controls and numbers.

`views` offers the views of a recording and is free of widgets. `page` displays them; it alone needs the packages of the
extra `lab`.
"""
