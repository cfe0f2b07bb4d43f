"""The command `coldbond`: init, check, show and export, see `coldbond --help`.

`main` declares the commands and imports a command's module only when it is run, so that help and errors come at once.
"""
