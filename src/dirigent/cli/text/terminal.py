"""What the terminal can show: colour, width, and the words and signs of states.

Colour follows `NO_COLOR`, `FORCE_COLOR`, `TERM=dumb` and whether the stream is a terminal. A state is
never told by colour alone: sign and word come with it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Mapping
from typing import Final, TextIO

from dirigent.model.record import dataclass

_CODES: Final = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "cyan": 36, "grey": 90, "bold": 1}
_PLAIN: Final = "\x1b[0m"
_PAINT: Final = re.compile(r"\x1b\[[0-9;]*m")
_PAINTED: Final = re.compile(r"(\x1b\[[0-9;]*m)")
PIPED_WIDTH: Final = 100


@dataclass(frozen=True, slots=True)
class Terminal:
    """One output stream. `live` says that the cursor may be moved."""

    colour: bool
    live: bool
    width: int
    height: int = 24
    unicode: bool = True

    def paint(self, text: str, *styles: str) -> str:
        """Return the text in a style, where colours are shown."""
        if not self.colour or not styles or not text:
            return text
        codes = ";".join(str(_CODES[style]) for style in styles)
        return f"\x1b[{codes}m{text}{_PLAIN}"


def terminal_of(stream: TextIO, environment: Mapping[str, str] | None = None) -> Terminal:
    """Return what a stream can show."""
    seen = os.environ if environment is None else environment
    tty = stream.isatty()
    dumb = seen.get("TERM") == "dumb"
    forced = seen.get("FORCE_COLOR", "") not in {"", "0"}
    colour = ((tty and not dumb) or forced) and not seen.get("NO_COLOR")
    size = shutil.get_terminal_size((PIPED_WIDTH, 24))
    width = size.columns if tty or "COLUMNS" in seen else PIPED_WIDTH
    encoding = (getattr(stream, "encoding", None) or "ascii").lower()
    return Terminal(colour, tty and not dumb, width, size.lines, unicode="utf" in encoding)


def out() -> Terminal:
    """Return what standard output can show."""
    return terminal_of(sys.stdout)


def err() -> Terminal:
    """Return what standard error can show."""
    return terminal_of(sys.stderr)


def columns(text: str) -> int:
    """Return how many columns a text takes: wide letters two, combining ones and colours none."""
    return sum(_columns(part) for part in _PAINT.split(text))


def _columns(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def cut(text: str, width: int, mark: str = "…") -> str:
    """Return a text that fits into so many columns, with a mark where something is missing."""
    if columns(text) <= width:
        return text
    left = width - len(mark)
    kept: list[str] = []
    painted = False
    for part in _PAINTED.split(text):
        if _PAINT.fullmatch(part):
            kept.append(part)
            painted = True
            continue
        for letter in part:
            left -= _columns(letter)
            if left < 0:
                return "".join(kept) + mark + (_PLAIN if painted else "")
            kept.append(letter)
    return "".join(kept)


def padded(text: str, width: int) -> str:
    """Return a text filled with blanks to so many columns."""
    return text + " " * max(0, width - columns(text))


def shown(text: str) -> str:
    """Return a text from outside without anything that could move the cursor or change colours."""
    return "".join(
        letter if letter.isprintable() or letter == "\t" else repr(letter)[1:-1] for letter in text
    )
