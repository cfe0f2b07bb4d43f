"""Text for print: Markdown as runs, breaks in long words, and characters that the fonts of the report lack."""

import re
from pathlib import Path
from typing import Any

import matplotlib
from fontTools.ttLib import TTFont
from markdown_it import MarkdownIt
from markdown_it.token import Token

#: The fonts that come with matplotlib: the same on every machine.
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
#: The font that prints what the text font lacks, upright and bold.
LAST_FONT = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
#: Zero-width space: where a line may be broken.
BREAK = "\u200b"
#: Words of so many characters are broken after signs, and longer pieces anywhere.
LONG, PIECE = 14, 24


class Printable:
    """What makes text printable, and remembers which characters it could not print.

    Attributes
    ----------
    missing : set of str
        Characters of the texts so far that no font of the report has.
    """

    def __init__(self) -> None:
        maps = [TTFont(FONTS / name).getBestCmap() for name in LAST_FONT]
        self._known = set.intersection(*map(set, maps)) | {ord("\n")}
        self.missing: set[str] = set()

    def __call__(self, text: str) -> str:
        """Return a text whose long words may be broken, with the number of each character that cannot be printed."""
        return re.sub(rf"\S{{{LONG},}}", _broken, self._without_missing(text))

    def _without_missing(self, text: str) -> str:
        absent = {sign for sign in text if ord(sign) not in self._known}
        if not absent:
            return text
        self.missing |= absent
        runs = re.compile("[" + re.escape("".join(sorted(absent))) + "]+")
        return runs.sub(lambda run: "⟨" + " ".join(f"U+{ord(sign):04X}" for sign in run[0]) + "⟩", text)

    def markdown(self, text: str) -> list[list[dict[str, Any]]]:
        """Return the paragraphs of a Markdown text, each as a list of runs of one style."""
        paragraphs: list[list[dict[str, Any]]] = []
        for token in MarkdownIt("commonmark").parse(text):
            if token.type == "inline":
                paragraphs.append(self._runs(token.children or []))
            elif token.content:  # code and HTML are printed as they stand
                paragraphs.append([_run(self(token.content.rstrip()), code=True)])
        return paragraphs

    def _runs(self, tokens: list[Token]) -> list[dict[str, Any]]:
        href = ""
        runs, style = [], {"strong": False, "emphasis": False}
        names = {"strong": "strong", "em": "emphasis"}
        for token in tokens:
            kind, _, edge = token.type.partition("_")
            if kind in names:
                style[names[kind]] = edge == "open"
            elif token.type in ("softbreak", "hardbreak"):
                runs.append(_run(" ", **style))
            elif token.type == "link_open":
                href = str(token.attrGet("href"))
            elif token.type == "link_close" and runs[-1]["text"].replace(BREAK, "") != href:
                runs.append(_run(self(f" ({href})"), **style))
            elif token.content:
                runs.append(_run(self(token.content), code=token.type == "code_inline", **style))
        return runs


def _run(text: str, code: bool = False, strong: bool = False, emphasis: bool = False) -> dict[str, Any]:
    return {"text": text, "code": code, "strong": strong, "emphasis": emphasis}


def _broken(word: re.Match) -> str:
    """Return a long word with places where a line may end."""
    parts = re.split(r"(?<=[/_\-.,;:=|\\)\]}])", word[0])
    pieces = [part[start : start + PIECE] for part in parts if part for start in range(0, len(part), PIECE)]
    return BREAK.join(pieces)
