"""The commands and their options."""

import os
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

import coldbond
from coldbond.bundle import manifest
from coldbond.bundle.manifest import TECHNIQUES

Command = TypeVar("Command", bound=Callable[..., Any])
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
POSITIVE = click.FloatRange(min=0, min_open=True)
#: What a file does not say, by the column of the manifest that says it.
STATED = {
    "technique": click.option("--technique", metavar="NAME", help="cycling, eis, dc, xrd, xps or raman"),
    "wavelength_angstrom": click.option(
        "--wavelength", metavar="Å[,Å]", help="K-alpha1 and K-alpha2 of a diffraction pattern, or one line"
    ),
    "photon_energy_eV": click.option("--photon-energy", type=POSITIVE, metavar="EV", help="of kinetic energies"),
    "excitation_nm": click.option("--excitation", type=POSITIVE, metavar="NM", help="wavelength of a Raman laser"),
    "sweep": click.option("--sweep", type=click.IntRange(1), metavar="N", help="which sweep of an impedance file"),
    "sample_in_file": click.option("--sample", metavar="NAME", help="which sample of a photoelectron file"),
    "encoding": click.option("--encoding", metavar="NAME", help="of a text file, where it is not recognised"),
}
#: Columns of the manifest by the names of the options that stand for them.
COLUMNS = {
    "technique": "technique",
    "role": "role",
    "area": "area_cm2",
    "mass": "active_mass_mg",
    "thickness": "thickness_cm",
} | {argument: column for column, argument in manifest.STATED.items()}
#: Message for an exception that nobody foresaw. It has no traceback; the same call in Python prints one.
FAULT = "{}: {} (in {}, line {}): a fault of this program, report it with the file"
#: A call of `coldbond.read` in a message, and one of its arguments.
CALL = re.compile(r"read\(path, ((?:\w+=(?:\([^()]*\)|[^(),]*)(?:, )?)+)\)")
OPTION = re.compile(r"(\w+)=(\([^()]*\)|[^(),]*)(?:, )?")


def stated(command: Command) -> Command:
    """Give a command the options of what a file does not say."""
    for option in reversed(STATED.values()):
        command = option(command)
    return command


def columns(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the options that were given as columns of a manifest."""
    found = {COLUMNS[name]: str(value) for name, value in given.items() if value is not None}
    if wavelength := found.get("wavelength_angstrom", "").replace(",", " "):
        found["wavelength_angstrom"] = wavelength
        if not all(re.fullmatch(r"\d*\.?\d+", part) for part in wavelength.split()):
            raise click.UsageError(f"--wavelength {wavelength!r} is not a number: write 1.540593,1.544427")
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
def init(folder: Path) -> int:
    """Write manifest.csv from the recordings in FOLDER, or add those that are new to it.

    It says what each file is, what must be filled in, and why a file is left out. No constant is guessed, and no row
    that is there is changed.
    """
    from coldbond.cli import init as initial

    return initial.run(folder, click.echo)


@commands.command()
@click.argument("folder", type=FOLDER)
def check(folder: Path) -> int:
    """Read all recordings of FOLDER and print every problem with its remedy, worst first.

    The exit status is 1 where there is a problem, 0 where there are notes at most.
    """
    from coldbond.cli import check as checking

    found = checking.check(folder)
    click.echo(checking.report(found))
    return int(any(one.is_problem for one in found.problems))


@commands.command()
@click.argument("file", type=FILE)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help=".png, .pdf or .svg to be written"
)
@click.option("--role", type=click.Choice(list(TECHNIQUES)), metavar="ROLE", help="as in a manifest, such as ccd")
@click.option("--area", type=POSITIVE, metavar="CM2", help="area of the electrode")
@click.option("--mass", type=POSITIVE, metavar="MG", help="mass of active material")
@click.option("--thickness", type=POSITIVE, metavar="CM", help="thickness of the electrolyte")
@click.option("--phase", default="", metavar="NAME", help="main phase of a diffraction pattern, such as LLZTO or Si")
@stated
def show(file: Path, output: Path | None, phase: str, **given: Any) -> int:
    """Print the standard analysis of FILE, and draw it with -o.

    Constants, sample and role are those of the manifest that lists FILE, unless options say something else. The exit
    status is 1 where a part of the file could not be analysed.
    """
    from coldbond.cli import show as showing

    listed, folder, note = showing.listed(file, given["role"] or "")
    text, analysed = showing.show(listed | columns(given), folder, output, phase)
    click.echo("\n\n".join([f"{file}: {note}", *text]))
    return int(not analysed)


@commands.command()
@click.argument("file", type=FILE)
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="to be written")
@stated
def export(file: Path, output: Path, **given: Any) -> int:
    """Write what was read from FILE as a table (.csv, .parquet) or netCDF (.nc), with units."""
    from coldbond.bundle.raw import stated as stated_by
    from coldbond.cli import export as exporting

    exporting.export(coldbond.read(file, **stated_by(columns(given))), output)
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
        of = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "coldbond"
        _refuse(f"{error.format_message()} ({of} --help)")
        status = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        status = 130
    except BrokenPipeError:  # the reader of a pipe has ended: the rest of the output has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
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
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return CALL.sub(lambda call: " ".join(map(_option, OPTION.finditer(call[1]))), text)


def _option(argument: re.Match[str]) -> str:
    value = argument[2].strip("()'").replace(", ", ",")
    return f"--{argument[1].replace('_', '-')} {value}"


def _refuse(text: str) -> int:
    click.echo(f"coldbond: {' '.join(text.split())}", err=True)
    return 1
