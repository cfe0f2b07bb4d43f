"""Build the site: stage its pages in a folder of their own, and let Sphinx make HTML of them."""

import json
import os
import re
import shutil
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

import typst
from docutils import nodes
from PIL import Image
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

import coldbond
from coldbond.bundle import paths
from coldbond.bundle.claims import paper, report, statements
from coldbond.publish import contents
from coldbond.publish.contents import Contents, ContentsError, Figure
from coldbond.publish.site import api, figure_page, pages

HERE = Path(__file__).parent
#: Resolution of the pictures of the pages, dots per inch.
DPI = 300
#: Size on the page: pixels of CSS for an inch of print, so that a figure of two columns fills the page.
SHOWN = 116
#: Documents of the bundle that have pages, and what in them links to other files.
DOCUMENTS = ("ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "raw/README.md", "docs/*.md")
LINK = re.compile(r"\]\(([^)\s:#]+)(?:#[^)\s]*)?\)")


class SiteError(ValueError):
    """Why there is no site: the warnings of Sphinx, or the file that is missing."""


def build(raw: str | os.PathLike[str], out: str | os.PathLike[str]) -> Path:
    """Make the site of the figures of a folder of recordings, and return its first page, OUT/site/index.html.

    The site is made beside the old one and then takes its place. Its bytes follow from figures and documents alone.

    Raises
    ------
    ContentsError, SiteError
        A figure is not built, or Sphinx warns: a link that leads nowhere, a docstring that it cannot read.
    """
    found = contents.load(raw, out)
    target = Path(out) / "site"
    for left in target.parent.glob(".site-*"):  # of a build that was killed
        shutil.rmtree(left)
    new = Path(tempfile.mkdtemp(prefix=".site-", dir=out))
    new.chmod(0o755)
    try:
        with tempfile.TemporaryDirectory() as folder:
            staged, files = Path(folder, "pages"), Path(folder, "files")
            title = "coldbond" if found.is_own else Path(raw).resolve().name
            _stage(found, title, staged, files)
            _sphinx(staged, files, new / "site", Path(folder, "doctrees"), title, found)
        if target.exists():
            target.replace(new / "old")
        (new / "site").replace(target)
    finally:
        shutil.rmtree(new)
    return target / "index.html"


def _stage(found: Contents, title: str, staged: Path, files: Path) -> None:
    """Write the sources of the pages, and the files that are copied as they are."""
    for folder in (staged / "figures", files / "figures", files / "source_data", files / "notebooks"):
        folder.mkdir(parents=True)
    for one in found.figures:
        size = _files(one, found.out, files)
        page = figure_page.notebook(one, found.is_own, size)
        (staged / "figures" / f"{one.name}.ipynb").write_text(json.dumps(page), encoding="utf-8")
    made = {"recordings": pages.recordings(found)}
    stated, tested = _statements(found.raw), []
    if (found.out / "claims.csv").is_file():
        rows = report.rows_of((found.out / "claims.csv").read_text(encoding="utf-8"))
        if found.is_own or any(row["figure"] for row in rows):
            tested = statements.of(rows)
            made["claims"] = pages.claims(found, tested, stated.source)
    if (found.out / "multiverse" / "multiverse.json").is_file():
        made["choices"] = pages.choices(found, {name: one.statement for name, one in stated.claims.items()})
        _copy(found.out / "multiverse", staged / "multiverse", "*.png")
    if found.is_own:
        made |= api.pages()
        _documents(staged)
    for name, text in made.items():
        (staged / name).parent.mkdir(exist_ok=True)
        (staged / f"{name}.md").write_text(text, encoding="utf-8")
    written = [path.relative_to(staged) for path in sorted(staged.rglob("*"))]
    there = [str(path.with_suffix("") if path.suffix in (".md", ".ipynb") else path) for path in written]
    (staged / "index.md").write_text(pages.home(found, title, there, tested), encoding="utf-8")


def _files(figure: Figure, out: Path, files: Path) -> tuple[int, int]:
    """Copy the files of a figure and draw the picture of its page; return the size of the picture on the page."""
    pdf = figure.picture.with_suffix(".pdf")
    if not pdf.is_file():
        raise ContentsError(f"{pdf}: there is no such file: run make figures")
    for path in (pdf, figure.picture, out / f"{figure.name}.json"):
        shutil.copy(path, files / "figures")
    for one in figure.source_data:
        shutil.copy(one.path, files / "source_data")
    notebook = json.dumps(figure_page.to_download(figure), indent=1, ensure_ascii=False)
    (files / "notebooks" / f"{figure.name}.ipynb").write_text(notebook + "\n", encoding="utf-8")
    picture = files / "figures" / f"{figure.name}.print.png"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(pdf, folder)
        page = Path(folder, "page.typ")
        page.write_text(f'#set page(width: auto, height: auto, margin: 0pt)\n#image("{pdf.name}")\n', encoding="utf-8")
        typst.compile(page, output=picture, format="png", ppi=DPI)
    with Image.open(picture) as image:
        width, height = (round(side / DPI * SHOWN) for side in image.size)
    return width, height


def _documents(staged: Path) -> None:
    """Copy the documents of the bundle, and the files that they link to."""
    for pattern in DOCUMENTS:
        for path in sorted(paths.ROOT.glob(pattern)):
            _copy_file(path, staged)
            for link in LINK.findall(path.read_text(encoding="utf-8")):
                linked = (path.parent / link).resolve()
                if linked.is_file() and linked.is_relative_to(paths.ROOT) and linked.suffix != ".md":
                    _copy_file(linked, staged)


def _copy_file(path: Path, staged: Path) -> None:
    target = staged / path.relative_to(paths.ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)


def _copy(source: Path, target: Path, pattern: str) -> None:
    target.mkdir(exist_ok=True)
    for path in sorted(source.glob(pattern)):
        shutil.copy(path, target)


def _statements(raw: Path) -> paper.Paper:
    own = raw / "claims.yml"
    return paper.load(own if own.is_file() else paths.ROOT / "raw" / "claims.yml")


def _sphinx(staged: Path, files: Path, target: Path, doctrees: Path, title: str, found: Contents) -> None:
    settings: dict[str, Any] = {
        "project": title,
        "version": coldbond.__version__,
        "release": coldbond.__version__,
        "copyright": "",
        "language": "en",
        "extensions": ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"],
        "nb_execution_mode": "off",
        "nb_code_prompt_show": "show the code",
        "nb_code_prompt_hide": "hide the code",
        "myst_heading_anchors": 4,
        "default_role": "literal",
        "napoleon_google_docstring": False,
        "napoleon_use_ivar": True,
        "autodoc_member_order": "bysource",
        "autodoc_preserve_defaults": True,
        "autodoc_typehints": "none",  # the docstrings have types, with shapes and units
        "html_theme": "furo",
        "html_title": title,
        "html_static_path": [str(HERE / "static")],
        "html_extra_path": [str(files)],
        "html_css_files": ["site.css"],
        "html_js_files": [("site.js", {"defer": "defer"})],
        "html_copy_source": False,
        "html_show_sourcelink": False,
        "html_show_search_summary": False,  # it would fetch pages, which a browser refuses without a server
        "html_show_copyright": False,
        "html_domain_indices": False,
        "html_use_index": found.is_own,  # of the API
    }
    if any("synthetic" in one.origins for one in found.figures):
        said = "Figures stamped \u201csynthetic data\u201d test the analysis, not an experiment."
        settings["html_theme_options"] = {"announcement": said}
    warnings = StringIO()
    with patch_docutils(None), docutils_namespace():
        made = Sphinx(str(staged), None, str(target), str(doctrees), "html", settings, None, warnings, True)
        made.connect("autodoc-process-docstring", _process, priority=1)  # before napoleon
        made.connect("autodoc-process-docstring", _rejoined, priority=900)  # after it
        made.connect("doctree-read", _unlinked)
        made.build()
    if text := _plain(warnings.getvalue(), staged):
        raise SiteError(text)
    (target / ".buildinfo").unlink()  # a hash of the settings, which name the folder of the build


def _plain(text: str, staged: Path) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text).replace(f"{staged}/", "").strip()


def _process(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    lines[:] = api.prepared("\n".join([*lines, ""])).split("\n")


def _rejoined(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Put back what stands before a colon in the comment of a constant: napoleon takes it for a type."""
    kind = next((line for line in lines if line.startswith(":type: ")), None)
    if what in ("data", "attribute") and kind:
        lines.remove(kind)
        lines[0] = f"{kind.removeprefix(':type: ')}: {lines[0]}"


def _unlinked(app: Sphinx, doctree: nodes.document) -> None:
    """Take the links from words in the types of parameters: Sphinx takes `shape` for any attribute of this name."""
    for link in list(doctree.findall(addnodes.pending_xref)):
        if link.get("refspecific") and not link["reftarget"].startswith("coldbond."):
            link.replace_self(link.children)
