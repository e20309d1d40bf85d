"""What is looked at before the YAML parser runs: size, encoding, characters, directives."""

from __future__ import annotations

import re
from functools import cache
from itertools import islice
from typing import Final

from dirigent.model import limits
from dirigent.model.problem import Problem
from dirigent.model.source import Span

BYTE_ORDER_MARK: Final = "\ufeff"

_SHOWN_MAX: Final = 5
_OTHER_ENCODINGS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


@cache
def _forbidden_characters() -> re.Pattern[str]:
    """Return what finds them. Compiling it takes longer than to read most documents."""
    # Everything but: tab, line feed, carriage return before a line feed, and the printable characters of
    # YAML. Unicode line separators are out because editors and parsers count lines by them differently,
    # and direction overrides because they show a text other than the one that is read.
    return re.compile(
        "[^\t\n\r\x20-\x7e\xa0-\u2027\u2030-\u2065\u206a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
        "|[\u202a-\u202e]|\r(?!\n)"
    )


def place_at(text: str, offset: int, file: str, length: int = 1) -> Span:
    """Return the span of `length` characters from an offset, all on one line."""
    line = text.count("\n", 0, offset) + 1
    column = offset - text.rfind("\n", 0, offset)
    return Span(file, line, column, line, column + length)


def too_large(size: int, file: str) -> list[Problem]:
    """Return the problem of a document with too many bytes (E1101), if it is one."""
    if size <= limits.DOCUMENT_BYTES:
        return []
    message = f"the document has {size:,} bytes, but at most {limits.DOCUMENT_BYTES:,} are read"
    return [
        Problem("E1101", message, at=Span(file, 1, 1, 1, 1), help=("split it, or pass large values by file",))
    ]


def decoded(content: bytes, file: str) -> tuple[str, list[Problem]]:
    """Return the text of a file's bytes, or the problem with its encoding (E1102)."""
    for mark, name in _OTHER_ENCODINGS:
        if content.startswith(mark):
            message = f"the file is written in {name}, not in UTF-8"
            return "", [Problem("E1102", message, at=Span(file, 1, 1, 1, 1), help=("save it as UTF-8",))]
    try:
        return content.decode("utf-8"), []
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        message = f"byte `0x{content[error.start]:02x}` is not valid UTF-8"
        at = place_at(before, len(before), file)
        return "", [Problem("E1102", message, at=at, label="here", help=("save the file as UTF-8",))]


def suspicious(text: str, file: str) -> list[Problem]:
    """Return the problems of characters (E1103) and directives (E1127) that keep the text from being read."""
    problems: list[Problem] = []
    # Most documents are of ASCII: they need not wait until the large pattern is compiled.
    if not (text.isascii() and text.replace("\n", "").replace("\t", "").isprintable()):
        found = islice(_forbidden_characters().finditer(text), _SHOWN_MAX)
        problems = [_forbidden(text, each, file) for each in found]
    return problems or _directives(text, file)


def _forbidden(text: str, found: re.Match[str], file: str) -> Problem:
    character = ord(found.group())
    escape = f"\\u{character:04x}"
    remedy = (
        "end lines with a line feed, or with carriage return and line feed"
        if character == ord("\r")
        else f'remove it, or write "{escape}" in double quotes if it is meant'
    )
    message = f"character `U+{character:04X}` cannot stand in a document"
    at = place_at(text, found.start(), file)
    return Problem("E1103", message, at=at, label="invisible here", help=(remedy,))


def _directives(text: str, file: str) -> list[Problem]:
    offset = 0
    while offset < len(text):
        end = text.find("\n", offset)
        line = text[offset : end if end >= 0 else len(text)]
        if line.startswith("%"):
            message = f"the directive `{line.split()[0][:40]}` is not supported"
            at = place_at(text, offset, file, len(line.rstrip()))
            return [Problem("E1127", message, at=at, help=("remove the line: documents are YAML 1.2",))]
        if (line.strip() and not line.lstrip().startswith("#")) or end < 0:
            return []
        offset = end + 1
    return []
