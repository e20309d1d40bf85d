"""Parameters of an operation become a call: each in its place, in the style that the document says.

Given once with the values of secrets and once with their names; both go the same way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final
from urllib.parse import quote

from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.http.authentication import Authentication
from dirigent.tasks.http.failure import malformed, misconfigured
from dirigent.tasks.http.message import Call, Output, headers_of, scalar_text
from dirigent.tasks.openapi.operation import Body, Operation, Parameter, suggestion

# What RFC 3986 reserves, minus the two that would end the query or begin another parameter.
RESERVED: Final = ":/?[]@!$'()*+,;="
# In a query, between the items of one value; every other style writes a comma.
DELIMITERS: Final = {"spaceDelimited": "%20", "pipeDelimited": "%7C", "tabDelimited": "%09"}
DELIMITERS_BARE: Final = {"spaceDelimited": " ", "pipeDelimited": "|", "tabDelimited": "\t"}

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(slots=True)
class _Parts:
    """The places that a parameter can go to, as they fill up."""

    path: dict[str, str] = field(default_factory=dict)
    query: list[str] = field(default_factory=list)
    headers: dict[str, Value] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)
    form: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the task asked for beside the parameters."""

    output: Output = Output.CONTENT
    redirect: bool = False
    authentication: Authentication | None = None


def call_of(operation: Operation, given: Mapping[str, Value], wanted: Wanted) -> Call:
    """Return the call of an operation, or raise `CallFailed` naming the parameter that is wrong."""
    parts = _Parts()
    known = {parameter.name for parameter in operation.parameters}
    for parameter in operation.parameters:
        value = given.get(parameter.name)
        if value is not None:
            _place(parts, parameter, value)
        elif parameter.required:
            raise malformed(
                f"the operation `{operation.id}` needs the {parameter.location} parameter `{parameter.name}`"
            )
    rest = {name: value for name, value in given.items() if name not in known}
    body, has_body = _body(operation, rest, parts)
    if parts.cookies:
        parts.headers["Cookie"] = "; ".join(parts.cookies)
    headers = headers_of(parts.headers)
    if has_body and operation.body is not None:
        headers["Content-Type"] = operation.body.media
    query = "&".join(parts.query)
    path = _PLACEHOLDER.sub(lambda match: _expanded(operation, parts, match[1]), operation.path)
    return Call(
        method=operation.method,
        endpoint=operation.server + path + (f"?{query}" if query else ""),
        headers=headers,
        body=body,
        has_body=has_body,
        output=wanted.output,
        redirect=wanted.redirect,
        authentication=wanted.authentication,
    )


def _expanded(operation: Operation, parts: _Parts, name: str) -> str:
    if name not in parts.path:
        raise misconfigured(f"the path of `{operation.id}` holds `{{{name}}}`, which no parameter describes")
    return parts.path[name]


def _body(operation: Operation, rest: dict[str, Value], parts: _Parts) -> tuple[Value, bool]:
    """Return the body and whether there is one. What is left over must belong to it, or is refused.

    `body` is the body, whole. Without it, parameters that the body's schema names as properties
    make the body; anything else is a mistake in writing and is said to be one.
    """
    body = operation.body
    if body is not None and not body.name:
        _refuse_unknown(operation, rest, frozenset())
        return dict(parts.form), bool(parts.form)
    if body is not None:
        for whole in ("body", body.name):
            if whole in rest:
                _refuse_unknown(operation, rest, frozenset({whole}))
                return rest[whole], True
    _refuse_unknown(operation, rest, _names(body))
    if rest:
        return rest, True
    if body is not None and body.required:
        raise malformed(
            f"the operation `{operation.id}` needs a body; give it as the parameter `{body.name}`"
        )
    return None, False


def _names(body: Body | None) -> frozenset[str]:
    return body.members if body is not None else frozenset()


def _refuse_unknown(operation: Operation, rest: dict[str, Value], allowed: frozenset[str]) -> None:
    known = sorted({parameter.name for parameter in operation.parameters} | _names(operation.body))
    known += ["body"] if operation.body is not None and operation.body.name else []
    for name in sorted(rest):
        if name not in allowed:
            raise malformed(
                f"the operation `{operation.id}` has no parameter `{name}`{suggestion(name, known)}"
            )


def _place(parts: _Parts, parameter: Parameter, value: Value) -> None:
    match parameter.location:
        case "path":
            parts.path[parameter.name] = _path_text(parameter, value)
        case "query":
            parts.query += _pairs(parameter, value)
        case "header":
            parts.headers[parameter.name] = _joined(parameter, value, encode=False)
        case "cookie":
            parts.cookies += _pairs(parameter, value)
        case _:
            parts.form[parameter.name] = _form_value(parameter, value)


def _path_text(parameter: Parameter, value: Value) -> str:
    """Return the text of a path parameter in one of its three styles."""
    name = _quoted(parameter.name, parameter)
    if parameter.style == "label":
        separator = "." if parameter.explode else ","
        return "." + separator.join(_items(parameter, value, encode=True))
    if parameter.style == "matrix":
        if parameter.explode and isinstance(value, list):
            return "".join(f";{name}={item}" for item in _items(parameter, value, encode=True))
        if parameter.explode and isinstance(value, dict):
            return "".join(f";{item}" for item in _items(parameter, value, encode=True))
        return f";{name}=" + ",".join(_items(parameter, value, encode=True))
    text = _joined(parameter, value, encode=True)
    # Many servers take these for steps through folders, to an operation that was not called.
    if text in {"", ".", ".."}:
        raise malformed(f"the path parameter `{parameter.name}` must not be empty, `.` or `..`")
    return text


def _pairs(parameter: Parameter, value: Value) -> list[str]:
    """Return `name=text` once or several times, percent-encoded, for a query or a cookie."""
    name = _quoted(parameter.name, parameter)
    if parameter.json:
        return [f"{name}={_joined(parameter, value, encode=True)}"]
    if parameter.style == "deepObject" and isinstance(value, dict):
        return [
            f"{name}%5B{_quoted(key, parameter)}%5D={text}"
            for key in sorted(value)
            for text in _items(parameter, _listed(value[key]), encode=True)
        ]
    if parameter.explode and isinstance(value, list):
        return [f"{name}={item}" for item in _items(parameter, value, encode=True)]
    if parameter.explode and isinstance(value, dict):
        return _items(parameter, value, encode=True)
    delimiter = DELIMITERS.get(parameter.style, ",")
    return [f"{name}={delimiter.join(_items(parameter, value, encode=True))}"]


def _listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def _form_value(parameter: Parameter, value: Value) -> Value:
    if parameter.explode or not isinstance(value, list):
        return value
    delimiter = DELIMITERS_BARE.get(parameter.style, ",")
    return delimiter.join(_items(parameter, value, encode=False))


def _joined(parameter: Parameter, value: Value, *, encode: bool) -> str:
    """Return a value in the style `simple`, or as JSON when the document says so."""
    if parameter.json:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return _quoted(text, parameter) if encode else text
    return DELIMITERS_BARE.get(parameter.style, ",").join(_items(parameter, value, encode=encode))


def _items(parameter: Parameter, value: Value, *, encode: bool) -> list[str]:
    """Return the texts that a style puts between its separators; a null inside is left out.

    An object gives `key=text` when it explodes, else key and text by turns.
    """

    def text(inner: Value) -> str:
        written = scalar_text(inner, f"the parameter `{parameter.name}`, inside which")
        return _quoted(written, parameter) if encode else written

    match value:
        case list():
            return [text(item) for item in value if item is not None]
        case dict():
            shown = [(text(key), text(value[key])) for key in sorted(value) if value[key] is not None]
            if parameter.explode:
                return [f"{key}={item}" for key, item in shown]
            return [item for pair in shown for item in pair]
        case _:
            return [text(value)]


def _quoted(text: str, parameter: Parameter) -> str:
    return quote(text, safe=RESERVED if parameter.reserved and parameter.location == "query" else "")
