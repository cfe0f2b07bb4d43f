"""One recording at a time, with controls beside it: what notebooks/explore.ipynb shows.

`views` says what can be shown of a recording, without any widget; `page` puts it on the screen, and alone needs the
packages of the extra `lab`.
"""
