"""The terms in which a service is written: requests, refusals, routes."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

NUMBER_MAX = 10**12


class Refused(Exception):
    """The request cannot be honoured: the answer is a problem document (RFC 9457)."""

    def __init__(self, status: int, detail: str) -> None:
        """Keep the HTTP status, and the sentence for the caller."""
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True)
class Request:
    """What an operation sees. `path` and `query` hold its parameters, checked to be there."""

    path: dict[str, str]
    query: dict[str, str]
    body: dict[str, object]
    key: str | None

    def text(self, name: str) -> str:
        """Return a member of the body that must be a text with something in it."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value.strip():
            raise Refused(400, f"`{name}` must be a text, not `{json.dumps(value)}`")
        return value

    def number(self, name: str) -> int:
        """Return a member of the body that must be a whole number above zero."""
        return positive(name, self.body.get(name))

    def asked_number(self, name: str) -> int:
        """Return a query parameter that must be a whole number above zero."""
        text = self.query[name]
        return positive(name, int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text)


def positive(name: str, value: object) -> int:
    """Return a whole number above zero, or refuse it by its name."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < NUMBER_MAX:
        raise Refused(400, f"`{name}` must be a whole number above 0, not `{json.dumps(value)}`")
    return value


Act = Callable[[sqlite3.Connection, Request], tuple[int, object]]


@dataclass(frozen=True)
class Route:
    """One operation. `query` and `body` map names to JSON types; `?` after a type means optional."""

    method: str
    path: str
    operation: str
    summary: str
    act: Act
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, str] = field(default_factory=dict)

    @property
    def unsafe(self) -> bool:
        """Return whether it changes anything."""
        return self.method != "GET"

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Return the parameters in the path, or None when this is another route."""
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)
        found = re.fullmatch(pattern, path) if method == self.method else None
        return {name: unquote(text) for name, text in found.groupdict().items()} if found else None


@dataclass(frozen=True)
class Service:
    """A service: its name, its tables, its routes, and what to do when its store is opened."""

    name: str
    tables: str
    routes: tuple[Route, ...]
    opened: Callable[[sqlite3.Connection, dict[str, object]], None] = lambda _connection, _config: None


def problem(refusal: Refused) -> dict[str, object]:
    """Return the problem document of a refusal."""
    return {
        "type": "about:blank",
        "status": refusal.status,
        "title": refusal.detail,
        "detail": refusal.detail,
    }
