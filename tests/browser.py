"""What a reader does with the bundle in a browser: JupyterLab, the page of `make explore`, the table of claims.

`make test-browser` runs it in an environment that has nothing of the bundle; servers are started as a reader starts
them, from another folder. Screenshots are kept in tests/screenshots.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
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
IS_DRAWN = """() => {
    const canvas = document.querySelector('.jupyter-matplotlib-canvas-container canvas');
    if (!canvas || canvas.width < 300) return false;
    const picture = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const pixels = new Uint32Array(picture.data.buffer);
    return pixels.some(pixel => pixel !== pixels[0]);
}"""
expect.set_options(timeout=PATIENCE)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as an exception, so that servers are ended first


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        program = next(filter(None, map(shutil.which, CHROMIUM)))
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
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
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
        (root / "notebooks" / path.name).write_text(json.dumps(notebook), encoding="utf-8")
    return root


@contextmanager
def serving(bundle: Path, goal: str) -> Iterator[str]:
    """Give the address at which `make GOAL` serves, started from another folder, and end all that it started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = bundle.parent / f"home-{goal}"
    served = {"ip": "127.0.0.1", "port": port, "port_retries": 0, "open_browser": False}
    for name, own in {
        "jupyter_server_config.json": {"ServerApp": served, "IdentityProvider": {"token": ""}},
        "voila.json": {"Voila": served},
        # Without the questions that JupyterLab asks at its first start.
        "lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {
            "autoStartDefaultKernel": True
        },
        "lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings": {"fetchNews": "false"},
    }.items():
        (home / "config" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "config" / name).write_text(json.dumps(own))
    mark = f"COLDBOND_TEST={uuid.uuid4()}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COLDBOND_", "JUPYTER"))}
    environment |= dict([mark.split("=")]) | {"HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config")}
    log = home / "log"
    command = ["make", "-C", str(bundle), goal]
    with log.open("w") as out:
        server = subprocess.Popen(
            command, cwd=home, env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: server.poll() is not None or answers(address))
        assert server.poll() is None, log.read_text()
        yield address
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


def answers(address: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{address}/", timeout=PATIENCE / 1000):
        return True
    return False


def marked(mark: str) -> list[int]:
    """Processes that a server started, whatever group they are in by now."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def run_all(page: Page, address: str, notebook: str) -> None:
    page.goto(f"{address}/lab/workspaces/{notebook}/tree/{notebook}.ipynb?reset")
    wait_until(lambda: states_of_kernels(address) == ["idle"])
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible()
    page.locator("#jp-MainMenu >> text=Run").click()
    page.locator("li[data-command='runmenu:run-all']").click()


def screenshot(page: Page, name: str) -> Path:
    SCREENSHOTS.mkdir(exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path)
    print(path)
    return path


def settled(page: Page) -> None:
    """Wait until the picture is drawn and has been the same for a while."""
    page.wait_for_function(IS_DRAWN)
    unchanged = """() => {
        const now = document.querySelector('.jupyter-matplotlib-canvas-container canvas').toDataURL();
        const same = window.seen === now;
        window.seen = now;
        return same;
    }"""
    page.wait_for_function(unchanged, polling=500)


def moved(page: Page, what: str, move: Callable[[], object], shown: str) -> None:
    """Move a control, wait for other numbers, which show a text, and another picture; print how long that took."""
    settled(page)
    numbers = page.locator(".explore-numbers").element_handle()
    picture = page.locator(".jupyter-matplotlib-canvas-container canvas").first.element_handle()
    before, drawn = numbers.inner_text(), picture.evaluate("canvas => canvas.toDataURL()")
    started = time.monotonic()
    move()
    changed = "([numbers, before, shown]) => numbers.innerText !== before && numbers.innerText.includes(shown)"
    page.wait_for_function(changed, arg=[numbers, before, shown])
    other_numbers = time.monotonic() - started
    page.wait_for_function("([canvas, drawn]) => canvas.toDataURL() !== drawn", arg=[picture, drawn])
    print(
        f"{what}: other numbers after {other_numbers:.2f} s, another picture after {time.monotonic() - started:.2f} s"
    )
    settled(page)


def explore(page: Page, name: str) -> None:
    """Look at recordings of three kinds and at a bad file; move controls with the keyboard."""
    numbers, message = page.locator(".explore-numbers"), page.locator(".explore-message")
    controls = page.locator(".explore-controls")
    chooser = page.get_by_label("recording", exact=True)
    slider = controls.locator(".noUi-handle").first
    expect(numbers).to_contain_text("after 0.8547 h")
    chooser.select_option("ccd: In-LLZ, pristine")
    expect(numbers).to_contain_text("after 2.4405 h")
    conductivity = controls.locator(".noUi-handle").nth(2)
    conductivity.focus()
    moved(page, "conductivity", lambda: conductivity.press("Home"), "after 0.0000 h")
    screenshot(page, f"{name}-ccd")

    chooser.select_option("phase: InN-LLZ, pristine")
    expect(numbers).to_contain_text("LLZTO 422")
    moved(page, "phases", lambda: page.get_by_label("phases").select_option(["LLZTO", "InN"]), "InN 101")
    slider.focus()
    moved(page, "displacement", lambda: slider.press("ArrowRight"), "InN 101")
    screenshot(page, f"{name}-xrd")

    chooser.select_option("cycled-surface: LLZ, after 200 cycles")
    expect(numbers).to_contain_text("ZrReduced")
    settled(page)
    SCREENSHOTS.mkdir(exist_ok=True)
    page.locator(".explore").last.screenshot(path=SCREENSHOTS / f"{name}.png")
    moved(page, "background", lambda: page.get_by_label("background").select_option("active tougaard"), "ZrReduced")
    moved(page, "components", lambda: page.get_by_label("components").select_option(["Zr4"]), "Zr4")
    screenshot(page, f"{name}-xps")

    chooser.select_option("raman: InN-LLZ, pristine")
    expect(numbers).to_contain_text("InN E2(high)")
    moved(page, "modes", lambda: page.get_by_label("modes").select_option(["InN A1(LO)"]), "InN A1(LO)")

    chooser.select_option("long-cycling: RT-MCL-LLZ, 0.5 mA/cm2")
    expect(numbers).to_contain_text("hysteresis")
    slider.focus()
    moved(page, "cycles", lambda: slider.press("ArrowRight"), "cycles\t2 to")

    chooser.select_option("full-cell: RT-MCL-LLZ, 0.2C")
    expect(numbers).to_contain_text("retention")
    slider.focus()
    moved(page, "cycles", lambda: slider.press("ArrowRight"), "retention")

    chooser.select_option("interface: LLZ, cycle 1")
    expect(numbers).to_contain_text("R3")
    moved(page, "circuit", lambda: page.get_by_label("circuit").select_option("L-R-RQ-RQ-RQ"), "R4")
    screenshot(page, f"{name}-eis")

    path = page.get_by_label("or a file")
    path.fill(str(ROOT / "Makefile"))
    path.press("Enter")
    expect(message).to_contain_text("Makefile")
    expect(message).to_contain_text("Remedy:")
    assert "Traceback" not in page.content()
    empty = IS_DRAWN.replace("return pixels.some", "return !pixels.some")
    page.wait_for_function(empty)
    screenshot(page, f"{name}-bad-file")


def test_figure_4b_runs_in_jupyterlab(bundle, page):
    with serving(bundle, "lab") as address:
        run_all(page, address, "fig4b_ccd")
        picture = page.locator(".jp-OutputArea-output img").last
        expect(picture).to_be_attached()
        expect(page.locator(".jp-InputPrompt", has_text="[*]:")).to_have_count(0)
        picture.scroll_into_view_if_needed()
        assert picture.evaluate("picture => picture.naturalWidth") > 600
        expect(page.locator(".jp-OutputArea-output", has_text="Error")).to_have_count(0)
        screenshot(page, "lab-fig4b")


def test_explore_runs_in_jupyterlab(bundle, page):
    with serving(bundle, "lab") as address:
        run_all(page, address, "explore")
        explore(page, "lab-explore")


def test_explore_is_a_web_page(bundle, page):
    with serving(bundle, "explore") as address:
        page.goto(address)
        explore(page, "voila")


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
