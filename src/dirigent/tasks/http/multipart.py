"""Bodies that are no text: bytes in base64, and `multipart/form-data` (RFC 7578). Pure.

The boundary comes from the content, so a repeat after a crash is the same to the byte.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from binascii import Error
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from dirigent.model.values import Value
from dirigent.tasks.http.failure import malformed

MEDIA: Final = "multipart/form-data"
BYTES: Final = "base64"
FILE_MEMBERS: Final = frozenset({"filename", "contentType", "content", BYTES})

_BOUNDARY = re.compile(r";\s*boundary\s*=\s*\"?([0-9A-Za-z'()+_,./:=?-]{1,70})\"?", re.IGNORECASE)
_CONTENT_TYPE = re.compile(r"[\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form; `filename` None makes it a plain field."""

    name: str
    content: bytes
    filename: str | None = None
    media: str = ""

    def written(self) -> bytes:
        """Return its headers and content."""
        head = f'Content-Disposition: form-data; name="{_quoted(self.name)}"'
        if self.filename is not None:
            head += f'; filename="{_quoted(self.filename)}"'
        if self.media:
            head += f"\r\nContent-Type: {self.media}"
        return head.encode() + b"\r\n\r\n" + self.content


def form_of(body: Value, content_type: str) -> tuple[bytes, str]:
    """Return the bytes of a form and its content type with the boundary, or raise `CallFailed`.

    A member is a field; a list gives it several times; an object with `content` or `base64` is a file.
    """
    if not isinstance(body, dict):
        raise malformed(f"the body of `{MEDIA}` must be an object whose members are its parts")
    parts = [part.written() for name in sorted(body) for part in _parts(name, body[name])]
    given = _BOUNDARY.search(content_type)
    boundary = given[1] if given else sha256(b"\0".join(parts)).hexdigest()[:40]
    line = f"--{boundary}".encode()
    if any(line in part for part in parts):
        raise malformed("a part of the body holds the boundary of the form; leave the boundary out")
    whole = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"
    return whole, content_type if given else f"{content_type}; boundary={boundary}"


def bytes_of(body: Value) -> bytes | None:
    """Return the bytes of `{base64: TEXT}`, or None for another body. Raises `CallFailed`."""
    if not isinstance(body, dict) or body.keys() != {BYTES}:
        return None
    return _decoded(body[BYTES], "the body")


def _parts(name: str, value: Value) -> list[Part]:
    items = value if isinstance(value, list) else [value]
    return [_part(name, item) for item in items if item is not None]


def _part(name: str, value: Value) -> Part:
    match value:
        case str():
            return Part(name, value.encode())
        case bool() | int() | float():
            return Part(name, json.dumps(value).encode())
        case dict() if (BYTES in value) != ("content" in value) and value.keys() <= FILE_MEMBERS:
            return _file(name, value)
        case dict():
            text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            return Part(name, text.encode(), media="application/json")
        case _:
            raise malformed(f"the part `{name}` of the form cannot be written")


def _file(name: str, value: dict[str, Value]) -> Part:
    filename, media = value.get("filename", name), value.get("contentType", "application/octet-stream")
    content = value.get("content")
    if not isinstance(filename, str) or not isinstance(media, str) or not _CONTENT_TYPE.fullmatch(media):
        raise malformed(f"`filename` and `contentType` of the file `{name}` must be texts of one line")
    if BYTES in value:
        return Part(name, _decoded(value[BYTES], f"the file `{name}`"), filename, media)
    if not isinstance(content, str):
        raise malformed(f"the `content` of the file `{name}` must be a text; bytes are given as `{BYTES}`")
    return Part(name, content.encode(), filename, media)


def _decoded(text: Value, what: str) -> bytes:
    try:
        return b64decode(text, validate=True) if isinstance(text, str) else _refused(what)
    except Error:
        return _refused(what)


def _refused(what: str) -> bytes:
    raise malformed(f"`{BYTES}` of {what} is not a text in base64")


def _quoted(text: str) -> str:
    """Return a name as browsers write it: a quote or a line break would end the header."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
