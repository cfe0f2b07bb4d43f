""".ci/compare_figures.py, which decides whether rebuilt figures are the committed ones."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[1] / ".ci" / "compare_figures.py"
PICTURE = np.full((200, 300, 3), 255, np.uint8)
PICTURE[100:102, 20:280] = 0  # a curve


def write(folder: Path, pixels: np.ndarray = PICTURE, numbers: str = "{}") -> None:
    folder.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(folder / "fig1.png")
    (folder / "fig1.json").write_text(numbers)
    (folder / "fig1.pdf").touch()


@pytest.fixture
def figures(tmp_path: Path) -> Path:
    """The figures folder of a repository where one figure is committed and has been rebuilt to the same bytes."""
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    write(tmp_path / "figures")
    for command in (["init", "--quiet"], ["add", "*.png", "*.json"], ["commit", "--quiet", "--message", "figures"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    return tmp_path / "figures"


def compare(figures: Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, SCRIPT], cwd=figures.parent, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def moved(rows: int) -> np.ndarray:
    return np.roll(PICTURE, rows, axis=0)


def flipped(pixels: int) -> np.ndarray:
    picture = PICTURE.copy()
    picture[0, :pixels] -= 40
    return picture


def test_the_same_bytes_pass(figures):
    code, said = compare(figures)
    assert code == 0
    assert said.count("ok  ") == 2 and said.count("the same bytes") == 2


def test_a_few_pixels_of_another_rounding_pass(figures):
    write(figures, flipped(5))
    code, said = compare(figures)
    assert code == 0
    assert "0.37 of 255 RMS apart, 1.0 is allowed" in said  # 40 * sqrt(5 / 60000)


@pytest.mark.parametrize(
    ("pixels", "numbers", "said"),
    [
        (moved(1), "{}", "FAIL figures/fig1.png         23.74 of 255 RMS"),  # 255 * sqrt(520 / 60000)
        (PICTURE[:-1], "{}", "FAIL figures/fig1.png         another size"),
        (PICTURE, '{"ccd": 1}', "FAIL figures/fig1.json        other numbers"),
    ],
)
def test_another_picture_or_number_fails(figures, pixels, numbers, said):
    write(figures, pixels, numbers)
    code, words = compare(figures)
    assert code == 1
    assert said in words


def test_the_claims_table_is_compared_too(figures):
    (figures / "claims.csv").touch()
    (figures / "claims.pdf").touch()
    code, said = compare(figures)
    assert code == 1
    assert "FAIL figures/claims.csv       is not committed" in said


def test_what_was_not_committed_or_not_built_fails(figures):
    (figures / "fig1.pdf").unlink()
    (figures / "fig2.json").write_text("{}")
    code, said = compare(figures)
    assert code == 1
    assert said.count("is committed but was not built") == 2
    assert "FAIL figures/fig2.json        is not committed" in said
