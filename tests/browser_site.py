"""The site that `make site` writes, as a browser shows it: of the bundle, and of a folder of other recordings.

`make test-browser` runs it. The site is opened from its files, without a server: what works so works on any server.
Screenshots are kept in tests/screenshots.
"""

import filecmp
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from browser import ROOT, SCREENSHOTS, browser  # noqa: F401

WIDTHS = {"phone": 390, "desktop": 1280}
HOSTS = re.compile(r"""(?:url\(|@import|\bsrc=)\s*["']?(?:https?:)?//""")
MANIFEST = """file,role,sample,state,origin,area_cm2
A.csv,ccd,A,pristine,measured,0.785
B.csv,ccd,B,pristine,measured,0.785
broken.csv,ccd,C,pristine,measured,0.785
"""


def make(*goals: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", *goals], cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def bundle() -> Path:
    made = make("site")
    assert made.returncode == 0, made.stderr
    return ROOT / "figures" / "site"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The site of three cells, one of whose files is damaged, and the folder of its figures."""
    raw = tmp_path_factory.mktemp("lab") / "my cells"
    raw.mkdir()
    out = raw.with_name("drawn")
    shutil.copy(ROOT / "raw/cycling/ccd-LLZ.csv", raw / "A.csv")
    shutil.copy(ROOT / "raw/cycling/ccd-RT-MCL-LLZ.csv", raw / "B.csv")
    (raw / "broken.csv").write_bytes((raw / "B.csv").read_bytes()[:3000])
    (raw / "manifest.csv").write_text(MANIFEST)
    made = make("site", f"RAW={raw}", f"OUT={out}")
    assert made.returncode != 0 and "broken.csv" in made.stderr  # a recording is left out
    assert (out / "site" / "index.html").is_file(), made.stderr
    return out / "site", out


class Links(HTMLParser):
    """The addresses that a page names, and its anchors."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        self.anchors |= {of["id"]} if of.get("id") else set()
        self.addresses += [address for name in ("href", "src") if (address := of.get(name))]


def dead_links(site: Path) -> list[str]:
    """Return every local link and picture of the pages that leads nowhere."""
    pages = {path: Links(path) for path in site.rglob("*.html")}
    dead = []
    for path, links in pages.items():
        for address in links.addresses:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = target.is_file() and target.is_relative_to(site)
            if there and parts.fragment and target in pages:
                there = unquote(parts.fragment) in pages[target].anchors
            dead += [] if there else [f"{path.relative_to(site)}: {address}"]
    return dead


def problems(browser: Browser, site: Path, width: int) -> list[str]:  # noqa: F811
    """Open every page and return what goes wrong: requests, errors, pictures, scrolling sideways."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    found: list[str] = []
    page.on("console", lambda said: said.type in ("error", "warning") and found.append(f"{page.url}: {said.text}"))
    page.on("pageerror", lambda error: found.append(f"{page.url}: {error}"))
    page.on("requestfailed", lambda asked: found.append(f"{page.url}: {asked.url} failed"))
    page.on("request", lambda asked: asked.url.startswith(("file:", "data:")) or found.append(f"asks {asked.url}"))
    for path in sorted(site.rglob("*.html")):
        page.goto(path.as_uri())
        broken, wide = page.evaluate(
            """async () => {
                for (const image of document.images) image.loading = "eager";
                await Promise.all([...document.images].map(image => image.decode().catch(() => null)));
                const broken = [...document.images].filter(image => !image.naturalWidth).map(image => image.src);
                return [broken, document.documentElement.scrollWidth - window.innerWidth];
            }"""
        )
        found += [f"{page.url}: no picture {source}" for source in broken]
        found += [f"{page.url}: {wide} px too wide at {width}"] if wide > 0 else []
    page.close()
    return found


def opened(browser: Browser, path: Path, width: int = 1280) -> Page:  # noqa: F811
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(path.as_uri())
    return page


def test_every_link_and_picture_of_the_bundles_site_resolves(bundle):
    assert dead_links(bundle) == []
    named = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*.html")}
    figures = {f"figures/{path.stem}.html" for path in (ROOT / "figures").glob("fig*.json")}
    documents = {"docs/coverage.html", "docs/formats.html", "docs/your-own-data.html", "ARCHITECTURE.html"}
    assert named >= figures | documents | {
        "index.html",
        "claims.html",
        "choices.html",
        "recordings.html",
        "api/index.html",
    }


def test_comments_of_constants_are_whole(bundle):
    text = (bundle / "api" / "cells.html").read_text(encoding="utf-8")
    assert "coldbond.cells.ccd" in text and not re.search(r'<dt class="field-\w+">Type<', text)


def test_no_page_loads_anything_from_another_host_and_no_file_names_a_folder_of_this_machine(bundle):
    for path in bundle.rglob("*"):
        if path.suffix in (".html", ".css"):
            assert not HOSTS.search(path.read_text(encoding="utf-8")), path
        assert path.is_dir() or str(ROOT).encode() not in path.read_bytes(), path


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_pages_load_whole_and_do_not_scroll_sideways(browser, bundle, width):  # noqa: F811
    assert problems(browser, bundle, width) == []
    SCREENSHOTS.mkdir(exist_ok=True)
    for name in ("index", "figures/fig4b", "claims"):
        page = opened(browser, bundle / f"{name}.html", width)
        page.screenshot(path=SCREENSHOTS / f"site-{name.replace('/', '-')}-{width}.png", full_page=True)
        page.close()


def test_a_figure_has_its_numbers_and_the_files_to_download(browser, bundle):  # noqa: F811
    page = opened(browser, bundle / "figures" / "fig4b.html")
    numbers = json.loads((ROOT / "figures" / "fig4b.json").read_text(encoding="utf-8"))["values"]
    rows = page.locator("table.numbers tr:not(.group)").all_text_contents()
    assert len(rows) == len(numbers) + 1
    assert any("critical current density" in row and "1.800 to 1.900 mA cm⁻²" in row for row in rows)
    with page.expect_download() as download:
        page.get_by_role("link", name="fig4b_i.csv").click()
    assert filecmp.cmp(download.value.path(), ROOT / "figures/source_data/fig4b_i.csv", shallow=False)
    assert "synthetic data" in page.locator(".samples").inner_text()
    page.close()


def test_the_picture_zooms(browser, bundle):  # noqa: F811
    page = opened(browser, bundle / "figures" / "fig4b.html")
    page.locator("a.zoom").click()
    shown = page.locator("dialog.enlarged img")
    before = shown.bounding_box()["width"]
    assert before > page.locator("a.zoom img").bounding_box()["width"]
    page.get_by_role("button", name="larger").click()
    assert shown.bounding_box()["width"] == pytest.approx(1.5 * before, rel=0.01)
    page.mouse.move(400, 400)
    page.mouse.wheel(0, 2000)  # not smaller than what fits
    page.wait_for_function("before => Math.abs(document.querySelector('dialog img').width - before) < 2", arg=before)
    page.keyboard.press("Escape")
    expect(page.locator("dialog.enlarged")).to_have_count(0)
    page.close()


def test_the_code_is_folded(browser, bundle):  # noqa: F811
    page = opened(browser, bundle / "figures" / "fig4b.html")
    code = page.get_by_text("ccd.steps")
    expect(code.first).to_be_hidden()
    for one in page.get_by_text("show the code").all():
        one.click()
    expect(code.first).to_be_visible()
    page.close()


def test_the_search_finds_a_page(browser, bundle):  # noqa: F811
    page = opened(browser, bundle / "index.html")
    page.get_by_placeholder("Search").fill("dendrites")
    page.keyboard.press("Enter")
    expect(page.locator("ul.search a").first).to_contain_text("Critical current density")
    page.close()


def test_the_site_of_other_recordings(browser, folder):  # noqa: F811
    site, _ = folder
    assert dead_links(site) == []
    named = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert named == {"index.html", "recordings.html", "figures/fig4b.html", "search.html"}
    for width in WIDTHS.values():
        assert problems(browser, site, width) == []
    page = opened(browser, site / "index.html")
    assert page.locator("h1").inner_text().startswith("my cells")
    assert "C, pristine (broken.csv)" in page.locator(".admonition.warning").inner_text()
    text = page.content()
    assert "synthetic" not in text and "Figure 4b" not in text
    page.locator(".gallery a").click()
    assert page.locator("h1").inner_text().startswith("Critical current density")
    assert "broken.csv" in page.locator(".admonition.warning").inner_text()
    page.close()


def publish(raw: Path, out: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [ROOT / ".venv-publish/bin/python", "-m", "coldbond.publish.site", "--raw", raw, "--out", out]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)


def test_bytes_depend_on_the_figures_alone_and_a_site_with_warnings_is_none(folder, tmp_path):
    site, out = folder
    raw = out.with_name("my cells")
    other = tmp_path / "elsewhere"
    shutil.copytree(out, other)
    (other / "site" / "of the past.html").write_text("")
    made = publish(raw, other, TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="7")
    assert made.returncode == 0, made.stderr
    compared = {path.relative_to(site) for path in site.rglob("*") if path.is_file()}
    assert compared == {path.relative_to(other / "site") for path in (other / "site").rglob("*") if path.is_file()}
    assert filecmp.cmpfiles(site, other / "site", map(str, compared), shallow=False)[1:] == ([], [])
    assert not list(other.glob(".site-*"))

    executed = other / "executed" / "fig4b.ipynb"
    executed.write_text(
        executed.read_text(encoding="utf-8").replace("## What follows", "## [What](nowhere.md) follows")
    )
    made = publish(raw, other)
    assert made.returncode == 1 and "nowhere.md" in made.stderr and str(tmp_path) not in made.stderr
    assert (other / "site" / "index.html").is_file() and not list(other.glob(".site-*"))
