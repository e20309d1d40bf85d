"""Credentials of a call: basic and bearer become a header, digest answers the server's challenge.

A credential is never shown: not in a fault, not in `response.request.headers`, not in evidence.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import field
from typing import TypeAlias, assert_never

from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.http.failure import malformed


@dataclass(frozen=True, slots=True)
class Basic:
    """RFC 7617, in UTF-8."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bearer:
    """RFC 6750, in the header."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Digest:
    """RFC 7616; the first request goes without credentials and is answered 401."""

    username: str
    password: str = field(repr=False)


Authentication: TypeAlias = Basic | Bearer | Digest


def authentication_of(value: Value) -> Authentication | None:
    """Return the credentials that a request describes: `{scheme, username, password, token}` or None."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise malformed("`authentication` must be an object")
    match value.get("scheme"):
        case "basic":
            return Basic(_username(value), _text(value, "password"))
        case "digest":
            return Digest(_username(value), _text(value, "password"))
        case "bearer":
            token = _text(value, "token")
            if not token or any(not "!" <= character <= "~" for character in token):
                raise malformed("the bearer token is empty, or holds a character that no header may hold")
            return Bearer(token)
        case scheme:
            raise malformed(f"the authentication scheme `{scheme}` is not known; use basic, bearer or digest")


def header_of(authentication: Authentication | None) -> str | None:
    """Return the value of `Authorization`, or None when there is nothing to send at once."""
    match authentication:
        case None | Digest():
            return None
        case Basic(username, password):
            return "Basic " + b64encode(f"{username}:{password}".encode()).decode()
        case Bearer(token):
            return f"Bearer {token}"
        case _:
            assert_never(authentication)


def _username(value: dict[str, Value]) -> str:
    username = _text(value, "username")
    if ":" in username:
        raise malformed("a user name with a colon cannot be sent by basic or digest authentication")
    return username


def _text(value: dict[str, Value], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise malformed(f"`authentication.{name}` must be a text")
    return text
