"""The file `.terraform.lock.hcl`: the subset of its language that Terraform and OpenTofu write there.

Blocks `provider "HOST/NAMESPACE/TYPE" {}` with `version`, `constraints` and the list `hashes`, and comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.providers.tofu.finding.lock.shape import ANY, Locked

NAME: Final = ".terraform.lock.hcl"
_TOKEN: Final = re.compile(
    r'(?P<gap>[ \t\r\n]+|(?:#|//)[^\n]*|/\*.*?\*/)|(?P<text>"[^"\\\n$%]*")|(?P<word>[A-Za-z_][A-Za-z0-9_-]*)'
    r"|(?P<sign>[{}\[\]=,])",
    re.DOTALL,
)
_SOURCE: Final = re.compile(r"[a-z0-9.:-]+/[a-z0-9_-]+/[a-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


class _Tokens:
    """The words of a file, one after the other; `what` is not found is refused with its line."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self._all = list(_cut(text, file))
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at >= len(self._all)

    def take(self, kind: str, text: str = "") -> str:
        """Return the next word, which must be of this kind, and this one where it is named."""
        found = self._all[self._at] if not self.ended else _Token("end", "the end", self._line())
        if found.kind != kind or (text and found.text != text):
            raise _odd(self.file, found.line, f"`{found.text}` stands where {text or 'a ' + kind} should")
        self._at += 1
        return found.text.strip('"') if kind == "text" else found.text

    def takes(self, sign: str) -> bool:
        """Return whether a sign comes next, and pass over it."""
        comes = not self.ended and self._all[self._at].text == sign
        self._at += comes
        return comes

    def _line(self) -> int:
        return self._all[-1].line if self._all else 1


def read_hcl(text: str, file: str) -> dict[str, Locked]:
    """Return what is locked, by source. Raises `Refusal` (E3022)."""
    tokens = _Tokens(text, file)
    found: dict[str, Locked] = {}
    while not tokens.ended:
        tokens.take("word", "provider")
        source = tokens.take("text").lower()
        entry = _block(tokens)
        version = entry.get("version")
        if not _SOURCE.fullmatch(source) or not isinstance(version, str):
            raise _odd(file, 1, f"the block of `{source}` names no version, or no provider")
        constraints, hashes = entry.get("constraints", ""), entry.get("hashes", [])
        found[source] = Locked(
            source,
            version,
            constraints if isinstance(constraints, str) else "",
            {ANY: tuple(sorted(hashes))} if isinstance(hashes, list) and hashes else {},
            file,
        )
    return found


def _block(tokens: _Tokens) -> dict[str, str | list[str]]:
    entry: dict[str, str | list[str]] = {}
    tokens.take("sign", "{")
    while not tokens.takes("}"):
        name = tokens.take("word")
        tokens.take("sign", "=")
        entry[name] = _list(tokens) if tokens.takes("[") else tokens.take("text")
    return entry


def _list(tokens: _Tokens) -> list[str]:
    found: list[str] = []
    while not tokens.takes("]"):
        found.append(tokens.take("text"))
        if not tokens.takes(","):
            tokens.take("sign", "]")
            break
    return found


def _cut(text: str, file: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        line = text.count("\n", 0, at) + 1
        if found is None:
            raise _odd(
                file, line, f"`{text[at : at + 20].splitlines()[0]}` is not what a lock of providers holds"
            )
        if found.lastgroup != "gap":
            yield _Token(found.lastgroup or "", found.group(), line)
        at = found.end()


def _odd(file: str, line: int, words: str) -> Refusal:
    return refuse(
        "E3022",
        f"`{NAME}` cannot be read: {words}",
        "let the tool that wrote it write it anew, or remove it: `dirigent providers lock` makes ours",
        at=Span(file, line, 1, line, 1),
    )
