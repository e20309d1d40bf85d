"""Take secrets out of the text of a document before it is shown: also those that should not stand there.

Values in the section `secrets` are masked, except names of variables and files; columns stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_SECTION: Final = re.compile(r"""(?:secrets|"secrets"|'secrets')\s*:""")
_KEYED: Final = re.compile(
    r"""(?P<key>[\w.-]+|"[^"]*"|'[^']*')(?P<colon>\s*:(?:\s+|$))"""
    r"""(?P<value>"[^"]*"?|'[^']*'?|[^\s{},\[\]#&*][^,}\n]*)?"""
)
_PLACES: Final = frozenset({"env", "file"})
_MASK: Final = "*"


def masked(text: str) -> str:
    """Return a document with the values of its secrets as `*`, letter for letter."""
    return "".join(_lines(text))


def _lines(text: str) -> Iterator[str]:
    inside = False
    for line in text.splitlines(keepends=True):
        if line[:1] not in {" ", "\t", "#", "\n", "\r", "}", "]", ""}:
            inside = _SECTION.match(line) is not None
        yield _masked_line(line) if inside else line


def _masked_line(line: str) -> str:
    """Mask what follows a key that names no place; a line without a key is all value."""
    if line.lstrip().startswith("#"):
        return line
    if _KEYED.search(line) is None:
        return "".join(_MASK if letter.isalnum() else letter for letter in line)
    return _KEYED.sub(_replaced, line)


def _replaced(found: re.Match[str]) -> str:
    value = found["value"] or ""
    if found["key"].strip("\"'") not in _PLACES:
        value = "".join(letter if letter.isspace() else _MASK for letter in value)
    return f"{found['key']}{found['colon']}{value}"
