"""The explore page: recordings with a picture, controls and numbers.

`views` and `overlay` draw, `page` turns the state of the page into an answer, `server` serves it on this computer. What
runs in the browser is in `static`, what the page explains in `help.toml`.
"""
