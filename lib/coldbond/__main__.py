"""`python -m coldbond` is the command `coldbond`."""

from coldbond.cli.main import main

if __name__ == "__main__":
    main()
