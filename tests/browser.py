"""What a reader does with the bundle in a browser: JupyterLab, the page of `make explore`, the table of claims.

`make test-browser` runs it in an environment that has nothing of the bundle; servers are started as a reader starts
them, from another folder. Screenshots are kept in tests/screenshots.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
SCREENSHOTS = ROOT / "tests" / "screenshots"
FIGURES = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb") if path.stem != "explore")
PATIENCE = 1000 * int(os.environ.get("PATIENCE", 180))  # ms, of a slow machine
CHROMIUM = ("chromium", "google-chrome", "chromium-browser")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
#: A name of another site that leads to this computer, as after DNS rebinding.
REBOUND = "rebound.example"
expect.set_options(timeout=PATIENCE)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as an exception, so that servers are ended first


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        program = next(filter(None, map(shutil.which, CHROMIUM)))
        browser = playwright.chromium.launch(
            executable_path=program, args=[*QUIET, f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1400, "height": 880})
    page.set_default_timeout(PATIENCE)
    yield page
    screenshot(page, f"{request.node.name}-end")
    page.close()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle with copies of its notebooks, in which JupyterLab may save, without what they have stored."""
    root = tmp_path_factory.mktemp("reader") / "the bundle"
    (root / "notebooks").mkdir(parents=True)
    for name in (
        "Makefile",
        "figures.toml",
        "style.toml",
        "scripts",
        "lib",
        "lock",
        "pyproject.toml",
        "raw",
        ".venv-lab",
    ):
        (root / name).symlink_to(ROOT / name)
    (root / ".venv").symlink_to(ROOT / ".venv-lab")  # which has all that the page needs
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
        (root / "notebooks" / path.name).write_text(json.dumps(notebook), encoding="utf-8")
    return root


@contextmanager
def serving(bundle: Path, goal: str) -> Iterator[str]:
    """Give the address that `make GOAL` prints, started from another folder, and end all that it started."""
    home = bundle.parent / f"home-{goal}"
    for name, own in {
        "jupyter_server_config.json": {"ServerApp": {"open_browser": False}, "IdentityProvider": {"token": ""}},
        # Which kernel a notebook gets is not asked at the first start.
        "lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {
            "autoStartDefaultKernel": True
        },
    }.items():
        (home / "config" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "config" / name).write_text(json.dumps(own))
    (home / "tmp").mkdir()
    mark = f"TMPDIR={home / 'tmp'}"  # of the processes that make starts, and of no others
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COLDBOND_", "JUPYTER"))}
    environment |= dict([mark.split("=")]) | {"HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config")}
    log = home / "log"
    command = ["make", "-C", str(bundle), goal]
    with log.open("w") as out:
        server = subprocess.Popen(
            command, cwd=home, env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        printed = re.compile(r"http://127\.0\.0\.1:\d+\S*")
        wait_until(lambda: server.poll() is not None or printed.search(log.read_text()))
        assert server.poll() is None, log.read_text()
        yield printed.search(log.read_text())[0].removesuffix("/lab")
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        with suppress(AssertionError):
            wait_until(lambda: not marked(mark), seconds=30)
        left = marked(mark)
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        server.wait()
        assert not left, f"{goal} left {len(left)} processes behind"


def wait_until(condition, seconds: float = PATIENCE / 1000) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def asked(address: str) -> list[dict]:
    with urllib.request.urlopen(address, timeout=PATIENCE / 1000) as answer:
        return json.load(answer)


def states_of_kernels(address: str) -> list[str] | None:
    """Return the states of a server's kernels; None while one is being started, of which jupyter-server knows nothing
    yet and answers with an internal error."""
    try:
        return [kernel["execution_state"] for kernel in asked(f"{address}/api/kernels")]
    except urllib.error.HTTPError as error:
        if error.code < 500:
            raise
        return None


def marked(mark: str) -> list[int]:
    """Processes that a server started, whatever group they are in by now."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def run_all(page: Page, address: str, notebook: str, kernels: int = 1) -> None:
    """Open and run a notebook, with whose kernel the server has so many."""
    page.goto(f"{address}/lab/workspaces/{notebook}/tree/{notebook}.ipynb?reset")
    wait_until(lambda: states_of_kernels(address) == ["idle"] * kernels)
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible()
    page.locator("#jp-MainMenu >> text=Run").click()
    page.locator("li[data-command='runmenu:run-all']").click()


def screenshot(page: Page, name: str) -> Path:
    SCREENSHOTS.mkdir(exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path)
    print(path)
    return path


def kept_to(page: Page, *hosts: str) -> list[str]:
    """Return a list that will hold the addresses of other hosts that the page asks for something."""
    others: list[str] = []

    def note(request) -> None:
        if not request.url.startswith((*hosts, "data:", "blob:", "about:")):
            others.append(request.url)

    page.on("request", note)
    return others


# ---- JupyterLab -----------------------------------------------------------------------------------------------------


def test_jupyterlab_runs_a_figure_and_the_explore_page(bundle, page):
    with serving(bundle, "lab") as address:
        others = kept_to(page, address, address.replace("http", "ws"), "http://127.0.0.1:")
        run_all(page, address, "fig4b_ccd")
        picture = page.locator(".jp-OutputArea-output img").last
        expect(picture).to_be_attached()
        expect(page.locator(".jp-InputPrompt", has_text="[*]:")).to_have_count(0)
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("picture => picture.naturalWidth") > 600
        expect(page.locator(".jp-OutputArea-output", has_text="Error")).to_have_count(0)
        screenshot(page, "lab-fig4b")
        # Neither a question about news nor a request to another host.
        assert page.get_by_text("Would you like to get notified").count() == 0 and others == []

        run_all(page, address, "explore", kernels=2)
        shown = page.frame_locator(".jp-OutputArea-output iframe")
        expect(shown.locator("#numbers")).to_contain_text("0.2 mA/cm²")
        slider = shown.get_by_label("conductivity at most / mS/cm", exact=True)
        slider.press("Home")
        expect(slider).to_have_value("0.1")
        screenshot(page, "lab-explore")


# ---- the explore page -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(bundle: Path) -> Iterator[str]:
    with serving(bundle, "explore") as address:
        yield address


@pytest.fixture
def explore(served: str, page: Page) -> Page:
    """The page with its first recording."""
    page.goto(served)
    ready(page)
    return page


#: The numbers among the settings of what is shown.
FLOATS = (
    "Object.values(answer.settings).flat().filter(Number.isFinite).map(x => Number.isInteger(x) ? `${x}.0` : `${x}`)"
)


def ready(page: Page, drawn: int = 0) -> None:
    """Wait for an answer later than the one of this number."""
    answered = "drawn => document.body.dataset.state === 'ready' && Number(document.body.dataset.drawn) > drawn"
    page.wait_for_function(answered, arg=drawn)


def after(page: Page, act: Callable[[], object]) -> float:
    """Do something, wait for picture and numbers, and return how long this took [s]."""
    drawn = int(page.get_attribute("body", "data-drawn"))
    began = time.monotonic()
    act()
    ready(page, drawn)
    return time.monotonic() - began


def choose(page: Page, group: str, label: str, where: str = "recording") -> None:
    value = page.locator(f"#{where} optgroup[label='{group}'] option", has_text=re.compile(f"^{re.escape(label)}$"))
    after(page, lambda: page.select_option(f"#{where}", value.first.get_attribute("value")))


def picture(page: Page) -> str:
    return page.locator("#frame img").get_attribute("src")


def numbers(page: Page) -> str:
    return page.locator("#numbers").inner_text() + page.locator("#wide").inner_text()


def test_explore_says_that_it_works_and_asks_no_other_host(served, page):
    others = kept_to(page, served.split("?")[0])
    page.route("**/draw", lambda route: None)  # an answer that never comes
    page.goto(served)
    expect(page.get_by_role("status")).to_have_text("Loading the packages, a few seconds …")
    page.unroute("**/draw")
    began = time.monotonic()
    page.goto(served)
    expect(page.locator("#numbers")).to_contain_text("0.2 mA/cm²")
    print(f"the first recording is shown after {time.monotonic() - began:.2f} s")
    assert page.evaluate("[...document.fonts].length") == 0 and others == []


@pytest.mark.parametrize("width", [1280, 390])
def test_explore_uses_the_width_and_cuts_nothing_off(explore, width):
    page = explore
    page.set_viewport_size({"width": width, "height": 800})
    for group, label in (
        ("Critical current density", "LLZ, pristine"),
        ("Rate capability", "RT-MCL-LLZ, 0.2C to 1C"),
        ("Impedance of interfaces", "RT-MCL-LLZ, cycle 1"),
        ("Photoelectrons, pristine", "LLZ, pristine"),
        ("Raman", "InN-LLZ, pristine"),
    ):
        choose(page, group, label)
        page.wait_for_function("() => Math.abs(document.querySelector('#picture').clientWidth - answer.width) < 3")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), group
        for table in page.locator("table").all():
            box = table.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= width + 1, group
        box = page.locator("#frame").bounding_box()
        assert box["width"] > (0.9 if width == 390 else 0.45) * width
        page.screenshot(
            path=SCREENSHOTS / f"explore-{group.split(',')[0].split()[0]}-{width}.png".lower(), full_page=True
        )
    assert page.locator("#numbers table").first.evaluate("one => parseFloat(getComputedStyle(one).fontSize)") >= 12


def test_explore_answers_a_moved_control(explore):
    page, times = explore, []
    for group, label, moves in (
        ("Critical current density", "In-LLZ, pristine", ("overpotential retained", "conductivity at most / mS/cm")),
        ("Long cycling, symmetric cells", "RT-MCL-LLZ, 0.5 mA/cm2", ("cycles, from",)),
        ("Full cells", "RT-MCL-LLZ, 0.2C", ("cycles, from",)),
        ("Diffraction, pristine", "InN-LLZ, pristine", ("sample too low / mm",)),
        ("Raman", "InN-LLZ, pristine", ("degree of baseline",)),
        ("Impedance of interfaces", "LLZ, cycle 1", ("log₁₀ f / Hz, from",)),
    ):
        choose(page, group, label)
        for name in moves:
            slider = page.get_by_label(name, exact=True)
            for _ in range(3):
                before = slider.input_value()
                times.append((after(page, lambda slider=slider: slider.press("ArrowRight")), f"{label}: {name}"))
                assert slider.input_value() != before, name
                assert str(float(slider.input_value())) in page.evaluate(FLOATS), name  # the answer is of this setting
    times.sort()
    print(*(f"{seconds:.2f} s {name}" for seconds, name in times), sep="\n")
    print(f"controls answer after {times[len(times) // 2][0]:.2f} s (median of {len(times)})")


def test_explore_never_shows_new_numbers_beside_an_old_picture(explore):
    page = explore
    choose(page, "Raman", "LLZ, pristine")
    # Whenever the numbers change, the picture has changed in the same step.
    page.evaluate("""() => {
        window.torn = 0;
        let seen = document.querySelector('#frame img').src;
        new MutationObserver(() => {
            const now = document.querySelector('#frame img').src, hidden = document.querySelector('figure').hidden;
            if (now === seen && !hidden) window.torn += 1;
            seen = now;
        }).observe(document.getElementById('numbers'), {childList: true, subtree: true});
    }""")
    degree = page.get_by_label("degree of baseline", exact=True)
    for _ in range(2):
        after(page, lambda: degree.press("ArrowRight"))
    bands = page.get_by_label("bands / cm⁻¹", exact=True)
    after(page, lambda: (bands.fill("2000"), bands.press("Enter")))
    expect(page.locator("#message")).to_contain_text("outside the range shown")
    assert page.locator("figure").is_hidden() and page.locator("table").count() == 0
    assert page.evaluate("window.torn") == 0
    after(page, lambda: page.get_by_role("button", name="Undo").click())
    assert page.locator("#message").is_hidden() and "band 250" in numbers(page)


def test_explore_takes_back_and_resets(explore):
    page = explore
    choose(page, "Full cells", "RT-MCL-LLZ, 0.2C")
    first = picture(page)
    until = page.get_by_label("cycles, to", exact=True)
    box = until.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    after(page, lambda: (page.mouse.down(), page.mouse.move(box["x"] + 90, box["y"] + 8, steps=6), page.mouse.up()))
    wait_until(lambda: picture(page) != first)
    ready(page)
    after(page, lambda: page.keyboard.press("Control+z"))  # one step for the whole movement
    assert picture(page) == first
    frame = page.locator("#frame").bounding_box()
    x, y = frame["x"] + 0.2 * frame["width"], frame["y"] + 0.3 * frame["height"]
    after(page, lambda: (page.mouse.move(x, y), page.mouse.down(), page.mouse.move(x + 60, y + 60), page.mouse.up()))
    assert picture(page) != first
    after(page, lambda: page.locator("#frame").dblclick())
    assert picture(page) == first
    after(page, lambda: until.press("Home"))
    after(page, lambda: page.get_by_role("button", name="Reset").click())
    assert picture(page) == first and until.input_value() == "113"


def test_explore_explains_why_an_efficiency_is_above_100_percent(explore):
    page = explore
    choose(page, "Rate capability", "RT-MCL-LLZ, 0.2C to 1C")
    assert "111.62" in numbers(page) and "5 times slower than the one before" in numbers(page)
    page.get_by_role("button", name="what is over 100 %").click()
    expect(page.get_by_text("takes out lithium that an earlier cycle left behind")).to_be_visible()
    screenshot(page, "explore-help")
    for button in page.locator("#controls .help, #numbers .help, #wide .help").all():
        button.click()
    assert page.locator(".help-text:visible").count() >= 7  # the one that was open is closed again


def test_explore_opens_files_that_are_dropped_chosen_or_named(explore, tmp_path):
    page, raw = explore, ROOT / "raw"
    paths = [raw / "eis" / f"interface-LLZ-cycle-{cycle}.txt" for cycle in ("001", "200")]
    texts = [path.read_text(encoding="latin-1") for path in paths]
    dropped = page.evaluate_handle(
        """texts => {
            const given = new DataTransfer();
            texts.forEach((text, i) => given.items.add(new File([text], `dropped ${i}.txt`)));
            return given;
        }""",
        texts,
    )
    after(page, lambda: page.dispatch_event("#own", "drop", {"dataTransfer": dropped}))
    assert "dropped 0" in numbers(page) and "dropped 1" in numbers(page)  # over each other
    screenshot(page, "explore-over-each-other")
    after(page, lambda: page.set_input_files("#file", raw / "raman" / "LLZ.jdx"))
    assert "band 250" in numbers(page)
    path = page.get_by_label("or a path")
    spaced = tmp_path / "my cell.csv"
    spaced.write_bytes((raw / "cycling" / "ccd-LLZ.csv").read_bytes())
    after(page, lambda: (path.fill(f'"{spaced}"'), path.press("Enter")))
    # What it lacks is asked for where its field stands.
    expect(page.locator("#message")).to_contain_text("The electrode area is not known. Enter it here.")
    area = page.locator("#message").get_by_label("electrode area / cm²", exact=True)
    expect(area).to_be_focused()
    screenshot(page, "explore-asks")
    after(page, lambda: (area.fill("0.785"), area.press("Enter")))
    assert "0.2 mA/cm²" in numbers(page)
    path.fill(str(ROOT))
    path.press("Enter")
    expect(page.locator("#own-message")).to_contain_text("a folder, not a file")
    after(page, lambda: (path.fill(str(ROOT / "Makefile")), path.press("Enter")))
    expect(page.locator("#message")).to_contain_text("Remedy:")
    assert page.locator("figure").is_hidden() and "Traceback" not in page.content()


def test_explore_lays_recordings_over_each_other_and_saves(explore):
    page = explore
    choose(page, "Critical current density", "RT-MCL-LLZ, pristine", where="over")
    assert "1.8 mA/cm²" in numbers(page) and "0.2 mA/cm²" in numbers(page)
    name = "LLZ-pristine-+-RT-MCL-LLZ-pristine-cycling"
    starts = {"png": b"\x89PNG", "pdf": b"%PDF", "csv": b"quantity,", "json": b"{"}
    for form, start in starts.items():
        with page.expect_download() as saved:
            page.get_by_role("button", name=form.upper(), exact=True).click()
        assert saved.value.suggested_filename == f"{name}.{form}"
        assert Path(saved.value.path()).read_bytes().startswith(start)
    after(page, lambda: page.get_by_role("button", name="take RT-MCL-LLZ, pristine away").click())
    assert "1.8 mA/cm²" not in numbers(page)


def test_explore_gives_nothing_to_another_site(served, page):
    for address in (served.replace("127.0.0.1", REBOUND), served.split("?")[0]):
        assert page.goto(address).status == 403
        assert "recording" not in page.content()


@pytest.fixture
def claims() -> str:
    table = ROOT / "figures" / "claims.html"
    if not table.is_file():
        pytest.skip("figures/claims.html is not built: make figures")
    return table.as_uri()


def test_the_claims_are_filtered_and_a_link_shows_its_statement(page, claims):
    page.goto(claims)
    every = page.locator("article").count()
    form, articles = page.locator(".claims form"), page.locator("article:visible")
    expect(form.locator("output")).to_have_text(f"{every} of {every} statements")
    form.get_by_label("verdict").select_option("disagrees")
    expect(form.locator("output")).to_have_text(f"{articles.count()} of {every} statements")
    assert 0 < articles.count() < every and {*articles.locator(".verdict.own").all_inner_texts()} == {"✕ disagrees"}
    assert page.locator("section:visible").count() == 1
    form.get_by_label("technique").select_option("xps")
    shown = [one.get_attribute("id") for one in articles.all()]
    assert shown == ["claim-n1s_li3n_elsewhere", "claim-li1s_li2o_on_carbon"]
    form.get_by_role("button", name="show all").click()
    expect(articles).to_have_count(every)

    form.get_by_label("verdict").select_option("recovered")
    statement = page.locator("[id='claim-n1s_li3n']")
    expect(statement.locator(".findings")).to_be_hidden()
    statement.locator("summary .what").click()
    expect(statement.locator(".findings > li")).to_have_count(2)
    statement.locator(".more a").click()  # to the comparison, which the filter hides
    expect(page.locator("[id='claim-n1s_li3n_elsewhere'] .findings")).to_be_visible()
    screenshot(page, "claims")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_claims_fit_a_phone_and_a_desktop_even_without_a_script(browser, claims, width):
    context = browser.new_context(viewport={"width": width, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    page.goto(claims)
    expect(page.locator(".claims form")).to_be_hidden()
    for summary in page.locator("summary").all()[::5]:
        summary.click(position={"x": 5, "y": 10})
    assert page.locator("html").evaluate("page => page.scrollWidth") <= width
    assert page.locator("details[open]").count() > 5
    screenshot(page, f"claims-{width}")
    context.close()


@pytest.mark.parametrize("notebook", FIGURES)
def test_a_notebook_runs_top_to_bottom_from_any_folder(bundle, notebook, tmp_path):
    """In the environment and with the kernel that JupyterLab has, in a folder that holds nothing."""
    python = bundle / ".venv-lab" / "bin" / "python"
    drafts = {"COLDBOND_FIGURES": str(tmp_path / "drafts"), "OMP_NUM_THREADS": "1"}
    command = [python, "-m", "papermill", bundle / "notebooks" / f"{notebook}.ipynb", tmp_path / "executed.ipynb"]
    command += ["--cwd", tmp_path, "--no-progress-bar"]
    run = subprocess.run(command, cwd="/", env=os.environ | drafts, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert list((tmp_path / "drafts").glob("*.png"))
