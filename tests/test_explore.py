"""The explore page without a browser: views, what is shown of them, the server; tests/browser.py drives the page."""

import asyncio
import base64
import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from coldbond.bundle import manifest, paths, raw
from coldbond.cells import ccd
from coldbond.constants import CONSTANTS
from coldbond.explore import help, listing, overlay, server
from coldbond.explore import page as page_module
from coldbond.explore.controls import Choice, Several, defaults
from coldbond.explore.page import Session, State, written
from coldbond.explore.views import opened, views

ROWS = manifest.rows(paths.RAW)
SOME = {row["role"]: row for row in ROWS}.values()  # one recording for each role


def drawn(view, **settings):
    fig = Figure()
    tables = view.draw(fig, **defaults(view) | settings)
    assert fig.axes or fig.texts
    return tables


def text(tables) -> str:
    return " ".join(table.to_string() for table in tables)


@pytest.fixture(scope="module")
def session():
    return Session()


def key(role: str, sample: str = "", state: str = "") -> str:
    return next(
        listing.key(row)
        for row in ROWS
        if row["role"] == role and sample in ("", row["sample"]) and state in ("", row["state"])
    )


def cells(answer) -> str:
    assert "error" not in answer, answer["error"]
    return "\n".join(" ".join([row["label"], *row["cells"]]) for table in answer["tables"] for row in table["rows"])


# ---- views ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", SOME, ids=lambda row: row["file"])
def test_every_recording_has_views_and_every_choice_can_be_drawn(row):
    recording = raw.recording(row)
    for make in views(recording).values():
        view = make()
        assert text(drawn(view))
        options = {name: control.options for name, control in view.controls.items() if isinstance(control, Choice)}
        options.pop("main", None)
        for place in range(max(map(len, options.values()), default=0)):  # each option once, of all controls together
            assert text(drawn(view, **{name: own[place % len(own)] for name, own in options.items()}))
        for name, control in view.controls.items():
            if isinstance(control, Several):
                assert drawn(view, **{name: ()})


def test_the_numbers_are_those_of_the_analysis():
    (recording,) = raw.recordings("ccd", ["RT-MCL-LLZ"]).values()
    view = views(recording)["critical current density"]()
    value, low, high = ccd.critical_current_density(ccd.steps(recording))
    assert f"{value:g} mA/cm²" in text(drawn(view))
    assert f"{low:g} to {high:g} mA/cm²" in text(drawn(view))
    failures = {text(drawn(view, conductivity=conductivity)) for conductivity in (0.1, 2.0)}
    assert len(failures) == 2


def test_the_whole_pattern_is_fitted_once_for_each_main_phase():
    (recording,) = raw.recordings("phase", ["InN-LLZ"]).values()
    view = views(recording)["xrd"]()
    (found,) = drawn(view, fitted=True, phases=("LLZTO", "InN"))
    assert "wt%" in found.loc["InN", ""] and not found.loc["InN", ""].startswith("below")
    first = view.analyses["LLZTO"]
    assert "In" in drawn(view, fitted=True, phases=("In",))[0].index
    assert view.analyses["LLZTO"] is first


def test_a_displaced_sample_has_reflections_at_lower_angles():
    (recording,) = raw.recordings("phase", ["LLZ"]).values()
    view = views(recording)["xrd"]()
    straight, low = (drawn(view, displacement=shift)[0]["2θ / °"].astype(float) for shift in (0.0, 0.2))
    assert (low < straight).all()


def test_parameters_that_the_data_do_not_determine_are_marked():
    (recording, *_) = raw.recordings("interface", ["LLZ"]).values()
    assert "not determined" in text(drawn(views(recording)["eis"](), circuit="L-R-RQ-RQ-RQ", decades=(3.0, 5.0)))


def test_a_cycle_above_100_percent_is_named_with_the_slower_discharge(session):
    shown = cells(session.draw({"shown": [key("rate")]}))
    assert "111.62" in shown and "over 100 % cycle 16, whose discharge is 5 times slower than the one before" in shown
    assert "left behind" in help.readout("over 100 %")
    assert "over 100 %" not in cells(session.draw({"shown": [key("full-cell")]}))


def test_settings_that_cannot_be_drawn_raise_an_error_with_the_reason():
    (recording,) = raw.recordings("raman", ["LLZ"]).values()
    view = views(recording)["raman"]()
    with pytest.raises(ValueError, match="outside the range shown"):
        drawn(view, bands=(2000.0,))
    with pytest.raises(ValueError, match="too few"):
        drawn(view, window=(725.0, 735.0), bands=(730.0,), modes=())


def test_the_server_loads_no_package_before_it_is_asked():
    code = "import sys, coldbond.explore.server; print({'numpy', 'pandas', 'matplotlib', 'scipy'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


# ---- the page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", SOME, ids=lambda row: row["file"])
def test_the_page_explains_every_control_and_readout(row, session):
    answer = session.draw({"shown": [listing.key(row)], "width": 300})
    assert answer["picture"] and cells(answer)
    for control in answer["controls"]:
        assert control["help"].endswith(".")
    for table in answer["tables"] if row["technique"] != "energies" else ():
        heads, rows = [one["help"] for one in table["columns"]], [one["help"] for one in table["rows"]]
        assert all(rows) or (any(heads) and not any(rows)), table


def test_every_control_has_a_help_text_and_every_text_a_control():
    sources = "".join(path.read_text() for path in Path(page_module.__file__).parent.glob("*.py"))
    labels = re.findall(r'(?:Number|Span|Choice|Several|Flag|Numbers)\(\s*"([^"]+)"', sources)
    assert set(help._texts()["controls"]) == set(labels)
    assert set(help._texts()["fields"]) == {*CONSTANTS, "technique", *manifest.STATED}


def test_picture_and_numbers_are_of_one_size_and_one_setting(session):
    state = {"shown": [key("ccd", "RT-MCL-LLZ")], "width": 600, "ratio": 2}
    answer = session.draw(state)
    picture = Image.open(io.BytesIO(base64.b64decode(answer["picture"])))
    assert picture.width == 1200
    other = session.draw(state | {"settings": {"conductivity": 0.1}})
    assert other["settings"]["conductivity"] == 0.1
    assert other["picture"] != answer["picture"] and cells(other) != cells(answer)
    assert session.draw(state) == answer  # undo brings back the same bytes


def test_an_error_leaves_neither_picture_nor_numbers(session):
    answer = session.draw({"shown": [key("raman")], "settings": {"bands": "2000"}})
    assert "outside the range shown" in answer["error"] and answer["controls"]
    assert not {"picture", "tables"} & set(answer)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"bands": "250, x"}, "write numbers separated by commas"), ({"modes": ["no such"]}, "choose among")],
)
def test_settings_that_are_none_are_refused(settings, message, session):
    assert message in session.draw({"shown": [key("raman")], "settings": settings})["error"]


def test_a_view_that_fails_is_a_message_and_the_page_goes_on(session, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError("of a defect")

    monkeypatch.setattr(page_module.figures, "stamp", fail)
    assert "this view failed (ZeroDivisionError: of a defect)" in session.draw({"shown": [key("ccd")]})["error"]


def test_the_axes_stay_in_place_while_a_control_moves(session):
    state = {"shown": [key("phase", "LLZ")], "width": 500}
    boxes = [session.draw(state | {"settings": {"displacement": x}})["axes"][0]["box"] for x in (0, 0.1)]
    assert boxes[0] == pytest.approx(boxes[1], abs=1e-12)


def test_a_label_that_needs_more_room_lays_the_picture_out_anew(session):
    state = {"shown": [key("phase", "LLZ")], "width": 501}
    first = session.draw(state)["axes"][0]
    zoom = {"axes": 0, "home": first["home"], "x": [30.0, 31.0], "y": [20.01, 20.02]}
    second = session.draw(state | {"zoom": [zoom]})["axes"][0]
    assert second["y"] == [20.01, 20.02] and second["box"][0] > first["box"][0]


def test_a_zoom_belongs_to_the_range_that_was_drawn(session):
    state = {"shown": [key("full-cell")], "width": 500}
    first = session.draw(state)["axes"][1]
    zoom = {"axes": 1, "home": first["home"], "x": [10, 20], "y": first["y"]}
    assert session.draw(state | {"zoom": [zoom]})["axes"][1]["x"] == [10, 20]
    fewer = session.draw(state | {"zoom": [zoom], "settings": {"cycles": [1, 50]}})["axes"][1]
    assert fewer["x"] == fewer["home"]["x"]


# ---- files of one's own ---------------------------------------------------------------------------------------------


def test_a_missing_constant_is_asked_for_and_used(session):
    own = session.path({"path": str(paths.RAW / "cycling" / "ccd-LLZ.csv")})["key"]
    answer = session.draw({"shown": [own]})
    assert answer["error"] == "The electrode area is not known. Enter it here."
    (asked,) = answer["asks"]["fields"]
    assert answer["asks"]["key"] == own and (asked["name"], asked["label"]) == ("area_cm2", "electrode area / cm²")
    assert "0.2 mA/cm²" in cells(session.draw({"shown": [own], "known": {own: {"area_cm2": "0,785"}}}))
    wrong = session.draw({"shown": [own], "known": {own: {"area_cm2": "-1"}}})
    assert "'-1' is no such number" in wrong["error"]


def test_what_a_file_does_not_say_is_asked_for(tmp_path, session):
    path = tmp_path / "a.xy"
    path.write_text(
        "two_theta/degree, intensity/counts\n" + "".join(f"{15 + i / 50}, {100 + i % 7}\n" for i in range(400))
    )
    own = session.path({"path": str(path)})["key"]
    names = [one["name"] for one in session.draw({"shown": [own]})["asks"]["fields"]]
    assert "wavelength_angstrom" in names
    given = {own: {"technique": "xrd", "wavelength_angstrom": "1.540593 1.544427"}}
    assert cells(session.draw({"shown": [own], "known": given}))
    assert opened(path, stated=given[own]).attrs["wavelength_kalpha2"] == 1.544427


def test_a_path_is_taken_as_a_user_writes_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "my cell.csv"
    for given in (f'"{path}"', f" '{path}' ", "~/my cell.csv", path.as_uri(), str(path)):
        assert written(given) == path
    with pytest.raises(ValueError, match="write the path"):
        written(' "" ')


def test_what_is_no_file_is_refused_without_opening_it(tmp_path, session):
    os.mkfifo(tmp_path / "pipe")
    for path, message in ((tmp_path / "pipe", "a pipe, not a file"), (tmp_path, "a folder"), ("/dev/zero", "a device")):
        assert message in session.path({"path": str(path)})["error"]
    assert session.path({"path": "/no/such"}) == {"error": "/no/such: No such file or directory"}


def test_a_changed_file_is_read_again(tmp_path, session):
    path = tmp_path / "cell.csv"
    original = (paths.RAW / "eis" / "interface-LLZ-cycle-001.txt").read_bytes()
    path.write_bytes(original)
    own = session.path({"path": str(path)})["key"]
    assert cells(session.draw({"shown": [own]}))
    path.write_bytes(original[: len(original) // 3])
    assert "error" in session.draw({"shown": [own]})


# ---- recordings over each other -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pair",
    [
        (("ccd", "LLZ"), ("ccd", "RT-MCL-LLZ")),
        (("full-cell", ""), ("rate", "")),
        (("phase", "LLZ"), ("phase", "InN-LLZ")),
        (("surface", "LLZ"), ("surface", "InN-LLZ")),
        (("raman", "LLZ"), ("raman", "InN-LLZ")),
        (("electronic", "LLZ"), ("electronic", "RT-MCL-LLZ")),
        (("conductivity", ""), ("arrhenius", "")),
    ],
    ids=lambda pair: f"{pair[0]}",
)
def test_recordings_lie_over_each_other_with_their_numbers(pair):
    held = {f"{role} {sample}": raw.recordings(role, [sample] if sample else []) for role, sample in pair}
    recordings = {label: next(iter(found.values())) for label, found in held.items()}
    view = next(iter(overlay.overlays(recordings).values()))()
    fig = Figure()
    tables = view.draw(fig, **defaults(view))
    shown = [line.get_label() for ax in fig.axes for line in ax.lines]
    assert set(recordings) <= set(shown)
    colors = {line.get_color() for line in fig.axes[0].lines if line.get_label() in recordings}
    assert len(colors) == 2
    for label in recordings:
        assert any(label in table.columns or any(label in row for row in table.index) for table in tables)


def test_the_numbers_side_by_side_are_those_of_each_alone(session):
    keys = [key("ccd", "LLZ"), key("ccd", "RT-MCL-LLZ")]
    both = cells(session.draw({"shown": keys}))
    for one in keys:
        alone = dict(line.rsplit(" mA", 1) for line in cells(session.draw({"shown": [one]})).splitlines()[:1])
        assert next(iter(alone)).split()[-1] in both.splitlines()[0]


def test_other_techniques_and_other_regions_are_refused(session):
    mixed = session.draw({"shown": [key("ccd"), key("phase")]})
    assert "recordings of cycling and xrd have no axes in common" in mixed["error"]
    tables = session.draw({"shown": [key("energies", "CHGNet 0.3.0"), key("energies", "CHGNet r2SCAN")]})
    assert "not laid over each other" in tables["error"]


# ---- saving ---------------------------------------------------------------------------------------------------------


def test_what_is_saved_has_a_name_that_says_what_it_is(session):
    state = {"shown": [key("ccd", "RT-MCL-LLZ")]}
    saved = {form: session.save(state, form) for form in ("png", "pdf", "csv", "json")}
    assert [name for name, _ in saved.values()] == [f"RT-MCL-LLZ-pristine-critical-current-density.{f}" for f in saved]
    assert saved["pdf"][1].startswith(b"%PDF") and saved["png"][1].startswith(b"\x89PNG")
    rows = {row["quantity"]: row for row in csv.DictReader(io.StringIO(saved["csv"][1].decode()))}
    found = json.loads(saved["json"][1])
    assert (rows["critical current density"]["value"], rows["critical current density"]["unit"]) == ("1.8", "mA/cm²")
    assert found["recordings"][0]["sha256"] and found["settings"]["retained"] == 0.8
    assert found["numbers"][0]["low"] == float(rows["critical current density"]["low"])
    assert session.save(state, "pdf") == saved["pdf"]  # the same bytes again
    two = session.save({"shown": [*state["shown"], key("ccd", "LLZ")]}, "csv")[0]
    assert two == "RT-MCL-LLZ-pristine-+-LLZ-pristine-cycling.csv"
    with pytest.raises(ValueError, match="choose png"):
        session.save(state, "exe")


def test_a_csv_holds_no_formula(tmp_path, session):
    path = tmp_path / "=HYPERLINK(1).txt"
    path.write_bytes((paths.RAW / "eis" / "interface-LLZ-cycle-001.txt").read_bytes())
    own = session.path({"path": str(path)})["key"]
    name, content = session.save({"shown": [own, key("interface", "LLZ")]}, "csv")
    assert not name.startswith("=") and "'=HYPERLINK(1)" in content.decode()


# ---- the server -----------------------------------------------------------------------------------------------------


def asked(*requests):
    """Return the answers of a server to requests: path, method, body, headers; TOKEN and PORT stand for its own."""

    async def ask():
        explorer = server.Explorer()
        explorer.listen()
        client = AsyncHTTPClient(force_instance=True)
        answers = []
        try:
            for path, method, body, headers in requests:
                own = {"TOKEN": explorer.token, "PORT": str(explorer.port)}
                for mark, value in own.items():
                    path = path.replace(mark, value)
                    headers = {name: text.replace(mark, value) for name, text in headers.items()}
                answers.append(
                    await client.fetch(
                        HTTPRequest(f"http://127.0.0.1:{explorer.port}/{path}", method, headers, body),
                        raise_error=False,
                    )
                )
            left = [one.relative_to(explorer.uploads) for one in explorer.uploads.rglob("*") if one.is_file()]
        finally:
            client.close()
            explorer.close()
        assert not explorer.uploads.exists()
        return answers, left

    return asyncio.run(ask())


GOOD = {"Authorization": "token TOKEN"}


def test_without_token_another_user_gets_nothing():
    ways = [
        ("", "GET", None),
        *((what, "POST", b"{}") for what in ("recordings", "draw", "save", "path", "upload?name=a")),
    ]
    tokens = [{}, {"Authorization": "token wrong"}, {"Cookie": "token=TOKEN"}]
    answers, left = asked(*((*way, headers) for way in ways for headers in tokens))
    assert {answer.code for answer in answers} == {403} and left == []
    assert all(b"open the whole address" in answer.body and len(answer.body) < 200 for answer in answers)


def test_a_foreign_host_or_origin_gets_nothing():
    foreign = [
        {"Host": "evil.example:PORT"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost:1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ]
    answers, _ = asked(
        *(("recordings", "POST", b"{}", GOOD | headers) for headers in foreign),
        ("?token=TOKEN", "GET", None, foreign[0]),
        ("recordings", "POST", b"{}", GOOD | {"Host": "localhost:PORT", "Origin": "http://localhost:PORT"}),
    )
    assert [answer.code for answer in answers] == [403] * 7 + [200]


def test_the_page_loads_nothing_from_elsewhere_and_is_in_no_frame():
    ((page,), _) = asked(("?token=TOKEN", "GET", None, {}))
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy
    assert "http" not in policy and "unsafe" not in policy
    assert b"Set-Cookie" not in page.body and "Set-Cookie" not in page.headers
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_an_upload_keeps_to_its_folder_and_its_size(monkeypatch):
    monkeypatch.setattr(server, "MOST_UPLOAD", 1000)
    names = ("../../etc/a.csv", "..\\..\\b.csv", "/c.csv", "..", "")
    answers, left = asked(
        *((f"upload?name={quote(name, safe='')}", "POST", b"x", GOOD) for name in names),
        ("upload?name=big", "POST", b"x" * 1001, GOOD),
    )
    assert [json.loads(answer.body)["label"] for answer in answers[:5]] == [
        "a.csv",
        "b.csv",
        "c.csv",
        "recording",
        "recording",
    ]
    assert answers[5].code != 200
    assert sorted(path.name for path in left) == ["a.csv", "b.csv", "c.csv", "recording", "recording"]
    assert {len(path.parts) for path in left} == {2}


def test_what_is_no_state_is_refused():
    answers, _ = asked(
        ("draw", "POST", b"[]", GOOD),
        ("draw", "POST", b"{", GOOD),
        ("draw", "POST", b'{"shown": 3}', GOOD),
        ("save", "POST", b'{"shown": []}', GOOD),
        ("session", "POST", b"{}", GOOD),
        ("draw", "POST", b" " * (server.MOST_STATE + 1), GOOD),
    )
    assert [answer.code for answer in answers[:2]] == [400, 400]
    assert "load it anew" in json.loads(answers[2].body)["error"]
    assert (answers[3].code, answers[3].body) == (409, b"choose 1 to 12 recordings")
    assert answers[4].code == 404 and answers[5].code != 200
    with pytest.raises(ValueError, match="no state"):
        State.of({"shown": ["a"], "known": {"a": 3}})


def test_a_folder_without_manifest_says_so_and_files_can_still_be_shown(tmp_path):
    found = listing.listed(tmp_path)
    assert found["groups"] == [] and "manifest" in found["note"] and "Files of your own" in found["note"]


def test_the_settings_of_matplotlib_are_left_alone(session):
    before = dict(mpl.rcParams)
    session.draw({"shown": [key("electronic")]})
    assert {name: value for name, value in mpl.rcParams.items() if np.any(value != before[name])} == {}
