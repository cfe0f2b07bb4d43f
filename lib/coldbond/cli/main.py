"""The commands and their options."""

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

import coldbond

Command = TypeVar("Command", bound=Callable[..., Any])
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
#: What a file does not say, as the arguments of `coldbond.read`.
STATED = (
    click.option("--technique", metavar="NAME", help="cycling, eis, dc, xrd, xps or raman"),
    click.option("--wavelength", metavar="Å[,Å]", help="K-alpha1 and K-alpha2 of a diffraction pattern, or one line"),
    click.option("--photon-energy", type=float, metavar="EV", help="of a photoelectron spectrum over kinetic energy"),
    click.option("--excitation", type=float, metavar="NM", help="wavelength of the laser of a Raman spectrum"),
    click.option("--sweep", type=int, metavar="N", help="which sweep of an impedance file"),
    click.option("--sample", metavar="NAME", help="which sample of a photoelectron file of several"),
    click.option("--encoding", metavar="NAME", help="of a text file, where it is not recognised"),
)
#: How a fault of the program is told; whoever mends it runs the same in Python, which prints the traceback.
FAULT = "{}: {} (in {}, line {}): a fault of this program, report it with the file"


def stated(command: Command) -> Command:
    """Give a command the options of what a file does not say."""
    for option in reversed(STATED):
        command = option(command)
    return command


def arguments(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given, as arguments of `coldbond.read`."""
    found = {name: value for name, value in given.items() if value is not None}
    if "wavelength" in found:
        try:
            found["wavelength"] = tuple(float(part) for part in found["wavelength"].replace(",", " ").split())
        except ValueError:
            raise click.BadParameter("write --wavelength 1.540593,1.544427 or one number") from None
    return found


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(coldbond.__version__, prog_name="coldbond", message="%(prog)s %(version)s")
def commands() -> None:
    """Recordings of battery cells and spectra: what they are, whether they can be used, what they show.

    A folder of recordings becomes figures with: coldbond init FOLDER, then fill in manifest.csv, coldbond check FOLDER,
    and make figures RAW=FOLDER OUT=FIGURES in the bundle.
    """


@commands.command()
@click.argument("folder", type=FOLDER)
def check(folder: Path) -> int:
    """Read all recordings of FOLDER and print every problem with its remedy, worst first.

    The exit status is 1 where there is a problem, 0 where there are notes at most.
    """
    from coldbond.cli import check as checking

    found = checking.problems(folder)
    click.echo(checking.report(folder, found))
    return int(any(one.is_problem for one in found))


@commands.command()
@click.argument("file", type=FILE)
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="to be written")
@stated
def export(file: Path, output: Path, **given: Any) -> int:
    """Write what was read from FILE as a table (.csv, .parquet) or netCDF (.nc), with units."""
    from coldbond.cli import export as exporting

    exporting.export(coldbond.read(file, **arguments(given)), output)
    click.echo(f"{output} is written")
    return 0


def main() -> NoReturn:
    """Run the command line; errors are one line."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    try:
        status = commands(standalone_mode=False, prog_name="coldbond") or 0
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        status = 130
    except BrokenPipeError:  # the reader of a pipe has ended: the rest of the output has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except (ValueError, LookupError, OSError) as error:
        status = _refuse(_text(error))
    except Exception as error:
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        where = (Path(place.tb_frame.f_code.co_filename).name, place.tb_lineno) if place else ("?", 0)
        status = _refuse(FAULT.format(type(error).__name__, error, *where))
    sys.exit(status)


def _text(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)


def _refuse(text: str) -> int:
    click.echo(f"coldbond: {' '.join(text.split())}", err=True)
    return 1
