"""Source data: what a panel draws stands in its file, and the panel can be drawn from the file alone."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure

import in_process
from coldbond.build import figures_table
from coldbond.bundle import figures, paths, source_data, style
from coldbond.drawn_series import ROLES

NAN = np.nan
RECORDING = xr.Dataset(attrs={"file": "a.csv", "origin": "synthetic", "sha256": "ab", "sample": "A"})


def read(content: bytes) -> pd.DataFrame:
    return pd.read_csv(BytesIO(content), encoding="utf-8-sig", dtype=str, keep_default_na=False)


def numbers(column: pd.Series) -> list[float]:
    """Return a column without the empty cells below its last number."""
    values = np.array([float(cell or "nan") for cell in column])
    known = np.flatnonzero(~np.isnan(values))
    return list(values[: known[-1] + 1]) if known.size else []


def files(fig: Figure, **given) -> dict[str, pd.DataFrame]:
    fig.canvas.draw()
    return {
        name.removesuffix(".csv"): read(content)
        for name, content in source_data.files(fig, "f", {"A": RECORDING}, **given).items()
    }


@pytest.fixture
def ax():
    axes = Figure().subplots()
    axes.set(xlabel="Time\n/ h", ylabel="Voltage / V")
    return axes


def panel(ax) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the file of the only panel, and the contents."""
    written = files(ax.figure)
    contents = written["f_contents"]
    return written["f_1"], contents[contents.panel.astype(str) == "1"]


def held(ax) -> dict[str, list[float]]:
    table, _ = panel(ax)
    return {name: numbers(table[name]) for name in table if not name.endswith(": category")}


def test_a_line_has_its_own_floats_and_the_names_and_units_of_the_axes(ax):
    x, y = [0.1 + 0.2, 1e-300, 3.0], [np.pi, NAN, -1 / 3]
    ax.plot(x, y, label="_Li, \\$ measured")
    table, contents = panel(ax)
    assert list(table) == ["Li, $ measured: Time / h", "Li, $ measured: Voltage / V"]
    assert numbers(table.iloc[:, 0]) == x
    np.testing.assert_array_equal(numbers(table.iloc[:, 1]), y)
    assert contents.iloc[0][["series", "drawn_as", "x", "y"]].tolist() == ["Li, $ measured", "line", *table]


@pytest.mark.parametrize(
    ("given", "drawn_as"),
    [
        ({}, "line"),
        ({"marker": "o"}, "line and markers"),
        ({"marker": "o", "ls": ""}, "markers"),
        ({"drawstyle": "steps-post"}, "line, steps-post"),
    ],
)
def test_it_says_how_a_series_is_drawn(ax, given, drawn_as):
    ax.plot([1, 2], [3, 4], label="a", **given)
    assert panel(ax)[1].drawn_as.tolist() == [drawn_as]


def test_series_of_the_same_points_share_a_column(ax):
    for name, y in (("measured", [1.0, 2.0]), ("fit", [1.5, 2.5])):
        ax.plot([0.0, 1.0], y, label=name)
    ax.plot([5.0], [6.0], label="other")
    table, contents = panel(ax)
    assert list(table) == [
        *("measured: Time / h", "measured: Voltage / V", "fit: Voltage / V"),
        *("other: Time / h", "other: Voltage / V"),
    ]
    assert contents.x.tolist() == ["measured: Time / h", "measured: Time / h", "other: Time / h"]
    assert numbers(table["other: Voltage / V"]) == [6.0]


def test_error_bars_have_both_ends_and_points_without_a_bar_have_none(ax):
    ax.errorbar([1, 2], [3, 4], xerr=[[0.5, 1], [1, 2]], yerr=0.25, fmt="o", capsize=2, label="a")
    ax.errorbar([1, 2, 3], [5, 6, 7], [1, NAN, 2], fmt="-", label="b")
    ax.errorbar([1, 2, 3], [5, 6, 7], [1, 2, 3], errorevery=2, fmt="o", label="c")
    values = held(ax)
    assert [values[f"a: Time / h{end}"] for end in ("", ", low", ", high")] == [[1, 2], [0.5, 1], [2, 4]]
    assert [values[f"a: Voltage / V{end}"] for end in ("", ", low", ", high")] == [[3, 4], [2.75, 3.75], [3.25, 4.25]]
    np.testing.assert_array_equal(values["b: Voltage / V, low"], [4, NAN, 5])
    np.testing.assert_array_equal(values["c: Voltage / V, high"], [6, NAN, 10])


def test_bars_have_edges_value_and_a_base_where_it_is_not_zero(ax):
    ax.bar([1, 2], [3, -4], width=0.5, label="a")
    ax.barh([1, 2], [3, 4], height=1, left=[0, 10], label="b")
    values = held(ax)
    assert [values[f"a: Time / h{end}"] for end in ("", ", low", ", high")] == [[1, 2], [0.75, 1.75], [1.25, 2.25]]
    assert values["a: Voltage / V"] == [3, -4]
    assert (values["b: Voltage / V"], values["b: Time / h"], values["b: base"]) == ([1, 2], [3, 14], [0, 10])
    assert "a: base" not in values


def test_a_band_has_both_edges_and_an_empty_row_between_its_regions(ax):
    x = np.arange(5.0)
    ax.fill_between(x, x, x + 1, where=x != 2, label="a")
    ax.fill_betweenx(x, x + 1, x, label="upper edge first")
    values = held(ax)
    np.testing.assert_array_equal(values["a: Time / h"], [0, 1, NAN, 3, 4])
    np.testing.assert_array_equal(values["a: Voltage / V, low"], [0, 1, NAN, 3, 4])
    np.testing.assert_array_equal(values["a: Voltage / V, high"], [1, 2, NAN, 4, 5])
    assert values["upper edge first: Time / h, low"] == [*x]
    assert values["upper edge first: Voltage / V"] == [*x]


def test_lines_across_the_panel_are_data_only_where_they_have_a_label(ax):
    ax.axhline(0)
    ax.axvspan(1, 2)
    ax.axhline(0.5, label="_limit")
    ax.axvline(7, ymax=0.8, label="_expected")
    ax.axvspan(3, 4, label="_short")
    ax.plot([1, 2, 3], [0.1, 0.5, 0.2], transform=ax.get_xaxis_transform(), label="_rug")
    ax.plot([0, 9], [0, 0], label="_decoration")
    assert held(ax) == {
        "limit: Voltage / V": [0.5],
        "expected: Time / h": [7],
        "short: Time / h, low": [3],
        "short: Time / h, high": [4],
        "rug: Time / h": [1, 2, 3],
        "rug: share of the panel's height": [0.1, 0.5, 0.2],
    }


def test_collections_of_lines_points_and_cells(ax):
    ax.vlines([1, 2], [0, 1], [2, 0], label="a")
    ax.hlines([1, 2], 0, [2, 3], label="b")
    ax.scatter([1, 2], [3, 4], c=[0.5, 0.25], label="c")
    ax.pcolormesh([0, 2, 4], [0, 1], [[7, 8]], label="d")
    values = held(ax)
    assert (values["a: Voltage / V, low"], values["a: Voltage / V, high"]) == ([0, 0], [2, 1])
    assert (values["b: Time / h, low"], values["b: Time / h, high"]) == ([0, 0], [2, 3])
    assert (values["c: Voltage / V"], values["c: value"]) == ([3, 4], [0.5, 0.25])
    assert (values["d: Time / h"], values["d: Voltage / V"], values["d: value"]) == ([1, 3], [0.5, 0.5], [7, 8])


@pytest.mark.parametrize("origin", ["upper", "lower"])
def test_an_image_has_the_middle_of_each_pixel(ax, origin):
    image = ax.imshow([[1, 2], [3, 4]], origin=origin, label="a")
    ax.figure.colorbar(image)
    values = held(ax)
    at = {(x, y): value for x, y, value in zip(*values.values(), strict=True)}
    assert at == {(0, 0): 1, (1, 0): 2, (0, 1): 3, (1, 1): 4}


def test_an_artist_without_a_label_is_numbered_and_one_label_is_one_series(ax):
    ax.plot([1, 2], [3, 4])
    for x in (5, 6):
        ax.plot([x, x + 1], [0, 0], label="_a")
        ax.plot([x], [9], "o", label="_b")
    values = held(ax)
    assert values["series 1: Time / h"] == [1, 2]
    np.testing.assert_array_equal(values["a: Time / h"], [5, 6, NAN, 6, 7])
    assert values["b: Time / h"] == [5, 6]


def test_both_sides_of_a_panel_are_one_file(ax):
    right = ax.twinx()
    right.set_ylabel("Current / A")
    ax.plot([1, 2], [3, 4], label="a")
    right.plot([1, 2], [5, 6], label="b")
    assert held(ax) == {"a: Time / h": [1, 2], "a: Voltage / V": [3, 4], "b: Current / A": [5, 6]}


def test_an_inset_that_shows_points_again_is_noted_and_one_with_its_own_data_is_a_file(ax):
    ax.plot([1, 2, 3], [4, 5, 6], label="a")
    zoom, other = ax.inset_axes((0, 0, 0.2, 0.2)), ax.inset_axes((0.5, 0, 0.2, 0.2))
    zoom.plot([2, 3], [5, 6])
    other.plot([2, 3], [5, 5], label="b")
    written = files(ax.figure)
    assert set(written) == {"f_1", "f_1_inset2", "f_contents", "f_recordings"}
    assert list(written["f_1"]) == ["a: Time / h", "a: Voltage / V"]
    assert written["f_contents"].note.tolist() == ["", "inset 1 shows a part of it again", "", ""]


def test_points_on_an_axis_with_names_have_the_nearest_name(ax):
    ax.set_xticks([0, 1], ["InN", "In"])
    ax.bar([-0.2, 0.8, 0.2], [1, 2, 3], 0.4, label="a")
    table, _ = panel(ax)
    assert table["a: category"].tolist() == ["InN", "In", "InN"]


def test_panels_have_their_numerals_and_those_without_one_that_of_their_neighbour():
    fig = Figure(layout="constrained")
    grid = fig.subplots(2, 2, sharex=True)
    for ax in grid.flat:
        ax.plot([1], [2], label="a")
    style.letters(grid[0])
    grid[1, 0].set_xlabel("Time / h")
    written = files(fig)
    assert [name for name in written if name[-1].isdigit()] == ["f_i1", "f_ii1", "f_i2", "f_ii2"]
    assert list(written["f_ii1"]) == ["a: Time / h", "a: y"]


def test_tables_and_recordings_stand_beside_the_panels(ax):
    ax.plot([1], [2], label="a")
    table = pd.DataFrame(
        {"capacity / mAh": [0.1 + 0.2, NAN], "kind": ["hard", None]}, index=pd.Index([1, 2], name="cycle")
    )
    written = files(ax.figure, tables={"half cycles": table})
    half_cycles = written["f_half_cycles"]
    assert list(half_cycles) == ["cycle", "capacity / mAh", "kind"]
    assert half_cycles["capacity / mAh"].tolist() == ["0.3", ""]  # ten digits
    assert half_cycles.kind.tolist() == ["hard", ""]
    assert written["f_recordings"].iloc[0][["label", "file", "origin", "sha256"]].tolist() == [
        *("A", "a.csv", "synthetic", "ab"),
    ]
    listed = {name.removesuffix(".csv") for name in written["f_contents"].file}
    assert listed | {"f_contents"} == set(written)
    with pytest.raises(ValueError, match=r"table '1': f_1\.csv is the file of a panel"):
        files(ax.figure, tables={"1": table})


def test_only_a_drawn_figure_has_source_data(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "FIGURES", tmp_path)
    monkeypatch.setattr(paths, "PICTURES", False)
    with figures.new() as fig:
        fig.subplots().plot([1], [2], label="a")
    given = {"notebook": "n", "parameters": {}, "values": [], "recordings": {"A": RECORDING}}
    figures.save(fig, "f", **given)
    assert [path.name for path in tmp_path.iterdir()] == ["f.json"]
    monkeypatch.setattr(paths, "PICTURES", True)
    figures.save(fig, "f", **given)
    first = {path.name: path.read_bytes() for path in (tmp_path / "source_data").iterdir()}
    assert set(first) == {"f_1.csv", "f_contents.csv", "f_recordings.csv"}
    figures.save(fig, "f", **given)
    assert {path.name: path.read_bytes() for path in (tmp_path / "source_data").iterdir()} == first


# ---- the figures of the bundle ---------------------------------------------------------------------------------------


def vertices(ax) -> set[tuple[str, str]]:
    """Return all corners and points, in coordinates of the data, that the artists of an axes draw."""
    found = []
    for artist in (*ax.lines, *ax.collections, *ax.patches):
        placed = artist.get_offset_transform() if hasattr(artist, "get_sizes") and len(artist.get_sizes()) else None
        placed = placed or artist.get_transform()
        if artist.get_label() == "_decoration" or not all(placed.contains_branch_seperately(ax.transData)):
            continue
        if artist in ax.lines:
            found.append(np.column_stack(artist.get_data(orig=False)))
        elif artist in ax.patches:
            found.append(artist.get_patch_transform().transform_path(artist.get_path()).vertices)
        elif placed is not artist.get_transform():
            found.append(artist.get_offsets())
        else:
            found += [path.vertices for path in artist.get_paths()]
    points = np.concatenate([np.empty((0, 2)), *(np.ma.filled(np.ma.asarray(one, float), NAN) for one in found)])
    return {(f"{x:.12g}", f"{y:.12g}") for x, y in points + 0.0 if np.isfinite(x) and np.isfinite(y)}


def redraw(ax, contents: pd.DataFrame, table: pd.DataFrame) -> None:
    """Draw a panel from its file and the contents."""
    for row in contents.to_dict("records"):
        kind = row["drawn_as"]
        data = {role: numbers(table[row[role]]) for role in ROLES if row[role] and "share of" not in row[role]}
        length = max(map(len, data.values()))
        data = {role: np.r_[values, np.full(length - len(values), NAN)] for role, values in data.items()}
        x, x_low, x_high, y, y_low, y_high, base = (data.get(role) for role in ROLES if role != "value")
        if kind == "bars":
            ax.bar(x_low, y - (0 if base is None else base), x_high - x_low, base, align="edge")
        elif kind == "horizontal bars":
            ax.barh(y_low, x - (0 if base is None else base), y_high - y_low, base, align="edge")
        elif kind == "band" and x is not None:
            ax.fill_between(x, y_low, y_high, where=~np.isnan(x))
        elif kind == "band":
            ax.fill_betweenx(y, x_low, x_high, where=~np.isnan(y))
        elif kind == "span":
            continue
        else:
            if x is not None and y is not None:
                ax.plot(x, y)
            if x_low is not None and y is not None:
                ax.hlines(y, x_low, x_high)
            if y_low is not None and x is not None:
                ax.vlines(x, y_low, y_high)


@pytest.mark.parametrize("name", list(figures_table.load()))
def test_every_panel_can_be_drawn_from_its_file_alone(name, tmp_path, monkeypatch):
    fig = in_process.executed(name, tmp_path, monkeypatch)["fig"]
    folder = tmp_path / "source_data"
    contents = read((folder / f"{name}_contents.csv").read_bytes()).astype({"panel": str})
    shown = source_data.panels(fig)
    assert shown
    for one in shown:
        assert all(series.name for series in one.series), f"panel {one.name}: give each artist that draws data a label"
        rows = contents[(contents.panel == one.name) & (contents.file != "")]
        table = read((folder / f"{name}_{one.name}.csv").read_bytes())
        redrawn = Figure().subplots()
        redraw(redrawn, rows, table)
        assert vertices(redrawn) == set().union(*(vertices(ax) for ax in one.axes))
