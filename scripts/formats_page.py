"""Write docs/formats.md: every format that `coldbond.read` reads, from the registry of formats.

python scripts/formats_page.py > docs/formats.md
"""

from coldbond.files import FORMATS
from coldbond.files.format import Format

TECHNIQUES = {
    "cycling": "cycling of cells",
    "eis": "impedance",
    "dc": "current at constant voltage",
    "xrd": "powder diffraction",
    "xps": "photoelectrons",
    "raman": "Raman scattering",
    "energies": "computed energies",
}
HEAD = """# Formats

`coldbond.read` recognises these {count} formats by the content of a file. `make formats` writes this page from the
registry, `coldbond.files.FORMATS`; a test holds the two equal. CONTRIBUTING.md shows how to add a format.

The last column names the recordings from instruments against which a format was checked, with the licence of the
repository that they are from, and what the values were compared with. The recordings are not part of this project. A
format without one was checked against files written by its tests after the documentation of the format.

What a file does not say is stated beside it: `coldbond.read(path, technique=, wavelength=, photon_energy=, excitation=,
sweep=, sample=, encoding=)`, or columns of manifest.csv (raw/README.md). A file that cannot be read without guessing is
refused, with the reason and a remedy. [Mutated files](fuzz.md) show what damage does.
"""
COLUMNS = "| format | vendor | files | what is read | checked against |\n|---|---|---|---|---|\n"


def row(form: Format) -> str:
    """Return the row of a format."""
    checked = [f"`{check.recording}` ({check.licence}): {check.against}" for check in form.checked]
    files = ", ".join(f"`{extension}`" for extension in form.extensions)
    cells = (form.name, form.vendors, files, form.reads, "; ".join(checked) or "files of its tests")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def page() -> str:
    """Return the page. A format of several techniques stands in the table of each."""
    parts = [HEAD.format(count=len(FORMATS))]
    for technique, name in TECHNIQUES.items():
        rows = [
            row(form) for form in sorted(FORMATS, key=lambda form: form.name.lower()) if technique in form.techniques
        ]
        parts.append(
            f"## {name.capitalize() if name[0].islower() else name} (`{technique}`)\n\n{COLUMNS}{''.join(rows)}"
        )
    return "\n".join(parts)


if __name__ == "__main__":
    print(page(), end="")
