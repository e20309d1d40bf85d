"""Texts become tokens. A string with interpolation becomes a run of tokens, so nothing here recurses."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from dirigent.model.limits import EXPRESSION_CHARACTERS, EXPRESSION_DEPTH
from dirigent.ports import ExpressionFailed


class Token(NamedTuple):
    """One token: `kind` is one of the words below, `text` what it says, `at` its offset in the text.

    Kinds: `op`, `name`, `field` (text without the dot), `variable` (without the dollar sign), `number`,
    `format` (with the at sign), `open"`, `text`, `open(` (interpolation), `close(`, `close"`, `end`.
    """

    kind: str
    text: str
    at: int


_PLAIN: Final = re.compile(
    r"(?P<space>[ \t\r\n]+|\#(?:\\\r\n|\\[\s\S]|[^\n\\])*\\?)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<field>\.[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<variable>\$[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<name>(?:[A-Za-z_][A-Za-z_0-9]*::)*[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<format>@[A-Za-z0-9_]+)"
    r"|(?P<op>\?//|//=|\|=|\+=|-=|\*=|/=|%=|==|!=|<=|>=|//|\.\.|[.?=;,:|+\-*/%<>()\[\]{}])"
    r'|(?P<quote>")'
)
_TEXT: Final = re.compile(r'[^"\\]+')
_ESCAPE: Final = re.compile(r'\\(?:(["\\/bfnrt])|u([0-9a-fA-F]{4}))')
_ESCAPED: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_CLOSING: Final = {"(": ")", "[": "]", "{": "}", "open(": ")"}


def tokens_of(text: str) -> list[Token]:
    """Return the tokens, `end` last, or raise `ExpressionFailed`: too long, unbalanced, not a token."""
    if len(text) > EXPRESSION_CHARACTERS:
        raise ExpressionFailed(
            f"the expression has {len(text)} characters, {EXPRESSION_CHARACTERS} are allowed"
        )
    if "\0" in text:
        # C ends a text there: the worker would see another one than is checked here.
        raise ExpressionFailed("the expression holds a null character; write it as an escape in a string")
    return _Scanner(text).scan()


def place(text: str, at: int) -> str:
    """Return where an offset lies, in words, with what stands there."""
    if at >= len(text):
        return "at the end"
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    near = text[at : at + 20].split("\n", maxsplit=1)[0]
    where = f"column {column}" if line == 1 else f"line {line}, column {column}"
    return f"at {where}: `{near}`"


class _Scanner:
    """Walks over one text; `open` holds the brackets and quotes that are not closed yet."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._open: list[Token] = []
        self._tokens: list[Token] = []

    def scan(self) -> list[Token]:
        while self._at < len(self._text):
            if self._open and self._open[-1].kind == 'open"':
                self._string()
            else:
                self._plain()
        if self._open:
            opened = self._open[-1]
            what = "string" if opened.kind == 'open"' else f"`{opened.text}`"
            raise ExpressionFailed(f"the {what} {place(self._text, opened.at)} is never closed")
        self._tokens.append(Token("end", "", self._at))
        return self._tokens

    def _plain(self) -> None:
        found = _PLAIN.match(self._text, self._at)
        if found is None:
            raise ExpressionFailed(f"unexpected character {place(self._text, self._at)}")
        kind = found.lastgroup or ""
        written = found.group()
        if kind == "quote":
            self._enter(Token('open"', '"', self._at))
        elif written in "([{" and kind == "op":
            self._enter(Token("op", written, self._at))
        elif written in ")]}" and kind == "op":
            self._leave(written)
        elif kind in ("field", "variable"):
            self._tokens.append(Token(kind, written[1:], self._at))
        elif kind != "space":
            self._tokens.append(Token(kind, written, self._at))
        self._at = found.end()

    def _enter(self, token: Token) -> None:
        if len(self._open) >= EXPRESSION_DEPTH:
            raise ExpressionFailed(
                f"more than {EXPRESSION_DEPTH} brackets inside each other {place(self._text, token.at)}"
            )
        self._open.append(token)
        self._tokens.append(token)

    def _leave(self, written: str) -> None:
        opened = self._open.pop() if self._open else None
        if opened is None or _CLOSING[opened.kind if opened.kind == "open(" else opened.text] != written:
            raise ExpressionFailed(f"`{written}` closes nothing {place(self._text, self._at)}")
        self._tokens.append(Token("close(" if opened.kind == "open(" else "op", written, self._at))

    def _string(self) -> None:
        following = self._text[self._at]
        if following == '"':
            self._open.pop()
            self._tokens.append(Token('close"', '"', self._at))
            self._at += 1
        elif self._text.startswith("\\(", self._at):
            self._enter(Token("open(", "\\(", self._at))
            self._at += 2
        elif following == "\\":
            self._escapes()
        else:
            found = _TEXT.match(self._text, self._at)
            end = found.end() if found else self._at + 1
            self._tokens.append(Token("text", self._text[self._at : end], self._at))
            self._at = end

    def _escapes(self) -> None:
        """Read one run of escapes; a surrogate pair lies within one."""
        start, made = self._at, ""
        while found := _ESCAPE.match(self._text, self._at):
            made += _ESCAPED[found[1]] if found[1] else chr(int(found[2], 16))
            self._at = found.end()
        if self._at == start:
            raise ExpressionFailed(f"unknown escape {place(self._text, start)}")
        try:
            whole = made.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise ExpressionFailed(f"half a surrogate pair {place(self._text, start)}") from None
        self._tokens.append(Token("text", whole, start))
