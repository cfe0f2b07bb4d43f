"""The bundle's own table of claims, and the forms in which it is shown."""

import re
from dataclasses import replace
from io import StringIO
from xml.etree import ElementTree

import pandas as pd
import pytest

from coldbond.bundle import figures, paths
from coldbond.bundle.claims import page, plots, report, statements, verdicts
from coldbond.bundle.claims.verdicts import AGREES, DISAGREES, NO_DATA, UNDECIDED
from stated_claims import STATED

FOUND = verdicts.built(folder=paths.ROOT / "figures")
TABLE = verdicts.table(STATED, FOUND)
LISTED = statements.of(TABLE.to_dict("records"))


# ---- the bundle's own ---------------------------------------------------------------------------------------------


def test_every_claim_of_the_paper_is_tested_or_says_why_not():
    tested = {row.claim for row in TABLE.itertuples() if row.figure}
    assert set(STATED.claims) - tested == {name for name, one in STATED.claims.items() if one.untestable}


def test_every_stated_sample_has_a_finding():
    lost = TABLE[
        TABLE.note.str.contains("no figure has found")
        & ~TABLE.claim.isin([name for name in STATED.claims if STATED.claims[name].untestable])
    ]
    assert lost.claim.to_list() == []


def test_every_row_has_a_verdict_and_its_evidence():
    assert set(TABLE.verdict) <= set(verdicts.VERDICTS)
    assert set(TABLE.evidence) <= {*verdicts.EVIDENCE.values(), verdicts.LITERATURE, verdicts.ARITHMETIC, ""}
    assert set(TABLE.verdict[TABLE.evidence == ""]) == {NO_DATA}
    assert all(TABLE.note[TABLE.verdict == NO_DATA])
    assert all(TABLE.would_decide[TABLE.verdict == UNDECIDED])
    assert not any(TABLE.would_decide[TABLE.verdict != UNDECIDED])


def test_every_statement_is_in_one_group_and_closure_is_counted_apart():
    assert len(LISTED) == len(STATED.claims) + len(STATED.contradictions)
    assert {one.claim for one in LISTED} == {*STATED.claims, *(entry["id"] for entry in STATED.contradictions)}
    for one in LISTED:
        closure = {row["evidence"] for row in one.findings} == {verdicts.CLOSURE}
        if one.verdict in (AGREES, DISAGREES):
            assert (one.group == statements.RECOVERED) == closure
        assert bool(one.would_decide) == (one.group == UNDECIDED)
    keys = list(statements.GROUPS)
    assert [keys.index(one.group) for one in LISTED] == sorted(keys.index(one.group) for one in LISTED)
    counted = statements.counts(LISTED)
    assert counted.iloc[:, :4].to_numpy().sum() == len(LISTED)
    assert counted.findings.sum() == (TABLE.evidence != "").sum()


def test_a_technique_is_that_of_the_recordings():
    found = TABLE.set_index("claim").technique
    assert {*found.loc[["xps_mcl_kept"]]} == {found["n1s_li3n_elsewhere"]} == {"xps"}
    assert (found["sigma_ion"], found["ccd_ht"], found["inn_thickness"]) == ("eis, dc", "cycling", "")


def test_the_paper_contradicts_itself_where_it_is_known_to():
    row = TABLE.set_index("claim").loc["retention_x_capacity"]
    assert (row.value, row.paper, row.verdict) == ("152.92", "> 160", DISAGREES)
    assert "92.4 / 100 × 165.5 = 152.92" in row.note
    found = TABLE[TABLE.kind == "contradiction"].set_index("claim").verdict
    assert found["n1s_li3n_elsewhere"] == found["sigma_as_printed"] == found["li1s_li2o_on_carbon"] == DISAGREES
    assert found["sigma_as_read"] == found["li1s_li2o_on_gold"] == AGREES


def test_the_committed_table_is_that_of_the_committed_figures():
    text = (paths.ROOT / "figures" / "claims.csv").read_text(encoding="utf-8")
    assert report.changes(report.rows_of(text), TABLE.to_dict("records")) == []


def test_csv_round_trips():
    text = report.as_csv(LISTED)
    assert statements.of(report.rows_of(text)) == [
        replace(
            one, findings=tuple({"group": one.group, "statement_verdict": one.verdict} | row for row in one.findings)
        )
        for one in LISTED
    ]
    read = pd.read_csv(StringIO(text), dtype=str, keep_default_na=False)
    assert read[TABLE.columns].sort_values(list(report.KEY)).to_numpy().tolist() == (
        TABLE.sort_values(list(report.KEY)).to_numpy().tolist()
    )


def parsed(listed, **more) -> ElementTree.Element:
    without_script = re.sub("(?s)<script>.*</script>", "", page.html(listed, **more))
    return ElementTree.fromstring(without_script.removeprefix("<!DOCTYPE html>"))


def text_of(element: ElementTree.Element) -> str:
    return "".join(element.itertext())


def test_the_page_is_well_formed_and_complete_and_loads_nothing_from_elsewhere():
    root = parsed(LISTED, source="them")
    sections = list(root.iter("section"))
    assert [one.get("id") for one in sections] == [f"claims-{key.replace(' ', '-')}" for key in statements.GROUPS]
    for section, (key, group) in zip(sections, statements.GROUPS.items(), strict=True):
        of_group = [one for one in LISTED if one.group == key]
        assert text_of(section.find("h2")).startswith(group.title)
        for article, one in zip(section.findall("article"), of_group, strict=True):
            summary, findings = article.find("details/summary"), article.findall("details/ul/li")
            assert one.statement in text_of(summary).replace(" cm⁻²", "/cm2") and one.shown in text_of(summary)
            for row, item in zip(one.findings, findings, strict=True):
                said = text_of(item)
                assert report.recomputed(row) in said and row["sample"] in said
                assert row["note"].split("; ")[0].split("/")[0] in said
            figures_of = [row["figure"] for row in one.findings if row["figure"]]
            thumbnail = article.find("a[@class='thumbnail']")
            assert (thumbnail is not None) == bool(figures_of)
            if figures_of:
                assert thumbnail.get("href") == thumbnail.find("img").get("src") == f"{figures_of[0]}.png"
            links = {a.get("href") for item in findings for a in item.iter("a")}
            assert links == {f"{name}.png" for name in figures_of}
    whole = page.html(LISTED)
    assert not re.search(r"https?:|//\w|@import|url\(", whole)
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(set(ids)) == len(ids)
    inner = [a.get("href")[1:] for a in root.iter("a") if a.get("href").startswith("#")]
    assert {*inner} <= {*ids} and "claim-n1s_li3n_elsewhere" in inner


def test_the_filters_have_every_value_and_are_hidden_without_a_script():
    root = parsed(LISTED)
    (form,) = root.iter("form")
    assert form.get("hidden")
    options = {select.get("name"): [one.get("value") for one in select][1:] for select in form.iter("select")}
    for name, values in options.items():
        used = {value for one in root.iter("article") for value in one.get(f"data-{name}").split("|")}
        assert set(values) == used - {""} and len(values) > 3
    assert options["panel"][:4] == ["2b/c", "2g", "2h", "3a"]


def test_the_body_has_the_links_of_the_site_and_a_style_that_touches_nothing_else():
    part = page.body(LISTED, lambda name: f"figures/{name}.html", lambda name: f"../{name}.png")
    assert part.body.count('href="figures/fig4b.html"') == 6 and 'src="../fig4b.png"' in part.body
    rules = re.findall(r"^\s*([^@}\n/][^{]*)\{", part.style, re.MULTILINE)
    assert len(rules) > 40
    assert all(one.strip().startswith(".claims") for rule in rules for one in rule.split(","))


def test_a_statement_that_does_not_hold_under_all_choices_says_so_unfolded():
    row = TABLE.iloc[1].to_dict()
    for runs, said in (("6 of 27", True), ("27 of 27", False), ("", False)):
        (summary,) = parsed(statements.of([row | {"holds_in": runs}])).iter("summary")
        assert ("holds in 6 of 27 runs" in text_of(summary)) == said
        assert ("runs" in text_of(summary)) == said


def test_markup_in_a_statement_is_escaped():
    row = TABLE.iloc[0].to_dict() | {"statement": "<b>&", "note": '"<script>', "claim": '"<c> d'}
    root = parsed(statements.of([row]), source="<i>")
    (article,) = root.iter("article")
    assert "<b>&" in text_of(article.find("details/summary")) and article.get("id") == 'claim-"<c>-d'
    assert text_of(article.find("details/ul/li/ul/li")) == '"<script>'


def test_the_terminal_has_120_columns_and_every_statement_by_group():
    text = report.as_text(TABLE.to_dict("records"))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 120
    titles = [line for line in lines if line.startswith(tuple(group.title for group in statements.GROUPS.values()))]
    assert len(titles) == 4 and titles[0].endswith(": 2 agree, 5 disagree")
    for one in LISTED:
        (line,) = [line for line in lines if re.search(rf"^\S+( table)? +{one.claim} ", line)]
        assert line.endswith(one.shown)
    assert "          would decide: an interval narrower than ±5.4 mAh/g about 154.1 (now 148.0 to 160.2)" in lines
    assert text.count("HT-MCL-LLZ            55.2 eV       55.22 (55.01 to 55.43)") == 1
    assert "46 statements: 7 tested by evidence from outside the paper, 35 tested on synthetic" in text
    long = TABLE.iloc[[40]].assign(**dict.fromkeys(("claim", "sample", "paper", "value"), "x" * 99)).to_dict("records")
    assert max(map(len, report.as_text(long).splitlines())) <= 120


def test_the_notebook_shows_every_statement_once():
    shown = [report.table(LISTED, key) for key in statements.GROUPS]
    assert [len(one) for one in shown] == [sum(one.group == key for one in LISTED) for key in statements.GROUPS]
    assert shown[1].set_index("statement").loc["an InN Raman peak is present", "found (95 % interval)"] == (
        "LLZ: no; InN-LLZ: yes"
    )
    assert all(shown[2]["would decide"]) and all(shown[3]["reason"])


def test_runs_of_the_multiverse_are_summed_over_the_findings():
    first, second = TABLE[1:3].to_dict("records")
    (one,) = statements.of([first | {"holds_in": "6 of 27"}, second | {"holds_in": "18 of 27"}])
    assert report.holds_in(one) == "24 of 54"
    assert report.holds_in(LISTED[0]) == ""


def test_changed_new_and_lost_rows_are_reported():
    rows = TABLE.to_dict("records")
    assert report.changes(rows, rows) == []
    other = [rows[0] | {"verdict": AGREES}, *rows[2:], rows[1] | {"sample": "mine"}]
    said = report.changes(rows, other)
    assert said[0] == "inn_thickness, InN-LLZ: no data -> agrees"
    assert [line.split(": ")[1] for line in said[1:]] == ["recovered -> no row", "no row -> recovered"]
    measured = [row | {"evidence": "measured"} if row["claim"] == "ccd_ht" else row for row in rows]
    (line,) = report.changes(measured, rows)
    assert line.endswith("agrees -> recovered")


def test_both_files_are_written_where_figures_go(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "FIGURES", tmp_path / "figures" / "drafts")
    monkeypatch.setattr(paths, "BUILT", tmp_path / "figures")
    monkeypatch.delenv("COLDBOND_BUILT", raising=False)
    page.write(LISTED)
    written = {path.name: path.read_text(encoding="utf-8") for path in paths.FIGURES.iterdir()}
    assert set(written) == {"claims.csv", "claims.html"}
    assert 'href="../fig4b.png"' in written["claims.html"]
    monkeypatch.setenv("COLDBOND_BUILT", "set by make")
    page.write(LISTED)
    assert 'href="fig4b.png"' in (paths.FIGURES / "claims.html").read_text(encoding="utf-8")


def test_the_picture_marks_every_finding_by_group():
    with figures.new("double", plots.height(LISTED)) as fig:
        plots.draw(LISTED, fig)
    parts = plots.parts(LISTED)
    assert sum(map(len, parts.values())) == len(TABLE)
    assert [key for key, _ in parts] == sorted((key for key, _ in parts), key=list(statements.GROUPS).index)
    for ax, ((_, kind), rows) in zip(fig.axes, parts.items(), strict=True):
        assert len(ax.get_yticklabels()) == plots.lines(kind, rows)
    colors = [{line.get_color() for line in ax.lines if line.get_label().startswith("_recomputed")} for ax in fig.axes]
    outside, recovered = (
        {plots.MARKS[word]["color"] for word in words} for words in ((AGREES, DISAGREES), ("recovered",))
    )
    assert colors[0] == outside and colors[1] == recovered
    assert len([line for line in fig.axes[0].lines if line.get_marker() not in ("", "None")]) == 7


@pytest.mark.parametrize(("name", "lines"), [("a", 2), ("a sample with a long name", 4)])
def test_the_answers_of_many_samples_take_several_lines(name, lines):
    row = TABLE[TABLE.claim == "raman_inn"].iloc[0].to_dict()
    listed = statements.of([row | {"sample": f"{name} {number}"} for number in range(4)])
    (rows,) = plots.parts(listed).values()
    assert plots.lines(plots.ANSWERS, rows) == lines
    with figures.new("double", plots.height(listed)) as fig:
        plots.draw(listed, fig)
    (ax,) = fig.axes
    fig.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text().startswith(name)]
    assert len(boxes) == 4 and all(box.x1 <= fig.bbox.x1 for box in boxes)
    assert not any(one.overlaps(other) for one in boxes for other in boxes if one is not other)
