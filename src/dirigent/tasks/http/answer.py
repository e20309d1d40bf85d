"""What an answer becomes: the task's output, or the words of a fault. Results are data, never run."""

from __future__ import annotations

import re
from base64 import b64encode
from http import HTTPStatus
from typing import Final, assert_never

import msgspec

from dirigent.model import limits
from dirigent.model.values import Value
from dirigent.tasks.http.client import Incoming
from dirigent.tasks.http.failure import broken
from dirigent.tasks.http.message import Output, charset_of, is_json

SHOWN_CHARACTERS: Final = 500

_LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def output_of(incoming: Incoming, wanted: Output, request: dict[str, Value]) -> Value:
    """Return the output of a call, or raise `CallFailed` for content that is not what it says.

    `request` is what `response` shows of the request: method, uri, headers.
    """
    match wanted:
        case Output.RAW:
            return b64encode(incoming.body).decode()
        case Output.CONTENT:
            return content_of(incoming)
        case Output.RESPONSE:
            return {
                "request": request,
                "statusCode": incoming.status,
                "headers": headers_of(incoming),
                "content": content_of(incoming),
            }
        case _:
            assert_never(wanted)


def content_of(incoming: Incoming) -> Value:
    """Return parsed JSON when the content type says so, else text; None for an empty body."""
    if not incoming.body:
        return None
    content_type = incoming.header("content-type")
    if not is_json(content_type.partition(";")[0].strip().lower()):
        return text_of(incoming.body, charset_of(content_type))
    try:
        return json_of(incoming.body)
    except ValueError as error:
        raise broken(f"the answer {incoming.status} says that it is JSON, but it is not: {error}") from None


def incoming_of(content: Value, url: str) -> Incoming:
    """Return an answer that would have had this content."""
    return Incoming(200, (("Content-Type", "application/json"),), msgspec.json.encode(content), url)


def headers_of(incoming: Incoming) -> dict[str, Value]:
    """Return headers by lower-case name; several of one name are joined by a comma and a space."""
    headers: dict[str, Value] = {}
    for name, text in incoming.headers:
        key = name.lower()
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def text_of(body: bytes, charset: str) -> str:
    """Return the text of a body; what cannot be decoded is marked, not refused."""
    try:
        text = body.decode(charset or "utf-8", errors="replace")
    except (LookupError, UnicodeError):
        text = body.decode("utf-8", errors="replace")
    # Some codecs can yield half a surrogate pair, which no journal can store.
    return text.encode("utf-8", errors="replace").decode()


def json_of(body: bytes) -> Value:
    """Return a JSON document as a value, or raise `ValueError` with what is wrong in words."""
    content = body.removeprefix(b"\xef\xbb\xbf")
    try:
        value: Value = msgspec.json.decode(content)
    except msgspec.MsgspecError as error:
        if not _LONE_SURROGATE.search(content):
            raise ValueError(str(error)) from None
        value = _mended(content)
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except RecursionError:
        raise ValueError(f"it is nested deeper than {limits.VALUE_DEPTH}") from None
    if depth_of(value) > limits.VALUE_DEPTH:
        raise ValueError(f"it is nested deeper than {limits.VALUE_DEPTH}")
    return value


def depth_of(value: Value) -> int:
    """Return how many lists and objects lie inside one another at the deepest place."""
    deepest = 0
    pending: list[tuple[Value, int]] = [(value, 1)]
    while pending:
        node, depth = pending.pop()
        if isinstance(node, list | dict):
            deepest = max(deepest, depth)
            inner = node.values() if isinstance(node, dict) else node
            pending.extend((child, depth + 1) for child in inner if isinstance(child, list | dict))
    return deepest


def phrase(status: int) -> str:
    """Return `404 Not Found`; the server's own words are not used, for they are its to choose."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def excerpt(text: str) -> str:
    """Return the beginning of a text for people, without what could steer a terminal."""
    shown = _UNPRINTABLE.sub(" ", text[: SHOWN_CHARACTERS + 1]).strip()
    return f"{shown[:SHOWN_CHARACTERS]}…" if len(text) > SHOWN_CHARACTERS else shown


def _mended(content: bytes) -> Value:
    """Decode again with every surrogate escape that stands alone made a replacement character."""
    pair = re.compile(rb"\\\\|(\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F]..")
    mended = pair.sub(lambda m: m.group() if m.group(1) or m.group() == rb"\\" else rb"\ufffd", content)
    try:
        value: Value = msgspec.json.decode(mended)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError(f"it is nested deeper than {limits.VALUE_DEPTH}") from None
    return value
