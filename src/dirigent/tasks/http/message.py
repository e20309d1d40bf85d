"""A call as it was recorded, and the bytes that it becomes. Pure: the same call, the same bytes.

Rule: nothing depends on the order of members in a mapping, for a store may keep another one.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import field
from enum import Enum
from typing import Final
from urllib.parse import quote_plus, urlencode

from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.http.authentication import Authentication, Digest, authentication_of, header_of
from dirigent.tasks.http.client import AGENT, Outgoing
from dirigent.tasks.http.failure import malformed
from dirigent.tasks.http.multipart import MEDIA as MULTIPART
from dirigent.tasks.http.multipart import bytes_of, form_of

KEY_HEADER: Final = "Idempotency-Key"
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
REPEATABLE_METHODS: Final = SAFE_METHODS | {"PUT", "DELETE"}
# They say how the message is framed, or to which site it goes; the client alone decides that.
FRAMING: Final = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN_IN_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SENSITIVE = re.compile(
    r"auth(?!or)|cookie|credential|passw|secret|signature|token|api[-_]?key|(^|[-_])sig$", re.IGNORECASE
)
_USERINFO = re.compile(r"//[^/?#]*@")


class Output(Enum):
    """What of an answer becomes the task's output."""

    CONTENT = "content"
    RAW = "raw"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True)
class Call:
    """One call, read and checked for shape. Header names are as written; values are texts."""

    method: str
    endpoint: str
    headers: dict[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    body: Value = None
    has_body: bool = False
    output: Output = Output.CONTENT
    redirect: bool = False
    authentication: Authentication | None = None

    @property
    def repeatable(self) -> bool:
        """Return whether doing it twice is as good as once by the meaning of its method."""
        return self.method in REPEATABLE_METHODS

    def header(self, name: str) -> str | None:
        """Return a header that the author set, whatever its case."""
        return next((text for key, text in self.headers.items() if key.lower() == name.lower()), None)


def call_of(request: Value) -> Call:
    """Return the call of a recorded request, or raise `CallFailed` naming what is wrong with it."""
    if not isinstance(request, dict):
        raise malformed("the request must be an object")
    method = _text(request, "method").upper()
    if not _TOKEN.fullmatch(method) or method in {"CONNECT", "TRACE"}:
        raise malformed("`method` is not one that can be called")
    headers = headers_of(request.get("headers"))
    authentication = authentication_of(request.get("authentication"))
    if authentication and any(name.lower() == "authorization" for name in headers):
        raise malformed("both `authentication` and an `Authorization` header are given; keep one of them")
    return Call(
        method=method,
        endpoint=_text(request, "endpoint"),
        headers=headers,
        query=pairs_of(request.get("query"), "query"),
        body=request.get("body"),
        has_body=bool(request.get("has_body", "body" in request)),
        output=output_of(request),
        redirect=request.get("redirect") is True,
        authentication=authentication,
    )


def output_of(request: dict[str, Value]) -> Output:
    """Return the wanted form of the output; it is the content when nothing is said."""
    wanted = request.get("output") or Output.CONTENT.value
    if wanted not in {output.value for output in Output}:
        raise malformed(f"`output` is `{wanted}`; it must be content, raw or response")
    return Output(wanted)


def headers_of(value: Value) -> dict[str, str]:
    """Return headers as texts, or raise `CallFailed`; a null is left out."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise malformed("`headers` must be an object")
    headers: dict[str, str] = {}
    for name, given in value.items():
        if given is None:
            continue
        if not _TOKEN.fullmatch(name):
            raise malformed(f"{name!r} is not a name of a header")
        if name.lower() in FRAMING:
            raise malformed(f"the header `{name}` is set by the client; leave it out")
        text = scalar_text(given, f"the header `{name}`")
        # A line break here would let a value add headers, or a second request, of its own.
        if _FORBIDDEN_IN_VALUE.search(text):
            raise malformed(f"the header `{name}` holds a line break or a control character")
        if any(name.lower() == other.lower() for other in headers):
            raise malformed(f"the header `{name}` is given twice")
        headers[name] = text.strip()
    return headers


def pairs_of(value: Value, what: str) -> tuple[tuple[str, str], ...]:
    """Return an object of scalars and lists of scalars as sorted pairs; a null is left out."""
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise malformed(f"`{what}` must be an object")
    pairs: list[tuple[str, str]] = []
    for name in sorted(value):
        given = value[name]
        items = given if isinstance(given, list) else [given]
        pairs += [(name, scalar_text(item, f"`{what}.{name}`")) for item in items if item is not None]
    return tuple(pairs)


def scalar_text(value: Value, what: str) -> str:
    """Return a scalar as it is written in URLs and headers: texts bare, the rest as in JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return json.dumps(value)
    raise malformed(f"{what} must be a text, a number or a boolean")


def outgoing_of(call: Call, key: str) -> Outgoing:
    """Return the bytes of a call; an unsafe one carries `key` unless the author gave his own."""
    headers = {"Accept": "application/json, */*;q=0.5"}
    body = None
    if call.has_body:
        body, content_type = encoded(call.body, call.header("content-type") or JSON)
        headers["Content-Type"] = content_type
    if not call.repeatable:
        headers[KEY_HEADER] = key
    authorization = header_of(call.authentication)
    if authorization is not None:
        headers["Authorization"] = authorization
    # That of a form has its boundary by now.
    own = [(name, text) for name, text in call.headers.items() if not body or name.lower() != "content-type"]
    given = {name.lower() for name, _ in own}
    merged = [(name, text) for name, text in headers.items() if name.lower() not in given]
    merged += own
    digest = call.authentication
    return Outgoing(
        method=call.method,
        url=url_of(call),
        headers=tuple(sorted(merged, key=lambda pair: pair[0].lower())),
        body=body,
        digest=(digest.username, digest.password) if isinstance(digest, Digest) else None,
    )


def url_of(call: Call) -> str:
    """Return the endpoint with the query added to its own, without a fragment."""
    bare = call.endpoint.partition("#")[0]
    if not call.query:
        return bare
    glue = "?" if "?" not in bare else "" if bare.endswith(("?", "&")) else "&"
    return bare + glue + urlencode(call.query)


def encoded(body: Value, content_type: str) -> tuple[bytes, str]:
    """Return the bytes of a body and its content type, which says all about them, or raise `CallFailed`."""
    media = content_type.partition(";")[0].strip().lower()
    if media == MULTIPART and not isinstance(body, str):
        return form_of(body, content_type)
    return body_of(body, content_type), content_type


def body_of(body: Value, content_type: str) -> bytes:
    """Return the bytes of a body by its content type, or raise `CallFailed`."""
    media, _, parameters = content_type.partition(";")
    media = media.strip().lower()
    if is_json(media):
        return _json_bytes(body)
    if isinstance(body, str):
        return _encoded(body, parameters)
    if media in {FORM, MULTIPART}:
        return (
            form_of(body, content_type)[0]
            if media == MULTIPART
            else urlencode(pairs_of(body, "body")).encode()
        )
    content = b"" if body is None else bytes_of(body)
    if content is None and media.startswith("text/") and not isinstance(body, list | dict):
        content = scalar_text(body, "the body").encode()
    if content is not None:
        return content
    raise malformed(
        f"a body that is not a text cannot be sent as `{media}`; "
        f"give a text, or bytes as `{{base64: TEXT}}`, or use `{JSON}`, `{FORM}` or `{MULTIPART}`"
    )


def is_json(media: str) -> bool:
    """Return whether a media type (lower case, without parameters) is JSON."""
    return media in {JSON, "text/json"} or media.endswith("+json")


def charset_of(content_type: str) -> str:
    """Return the charset that a content type names, or an empty text."""
    found = re.search(r";\s*charset\s*=\s*\"?([^\s\";]+)", content_type, re.IGNORECASE)
    return found.group(1).lower() if found else ""


def shown_url(call: Call) -> str:
    """Return the URL for people: no user name, and the values of telling parameters left out.

    Give it the call with its secrets as names; what was revealed is never made into a text for show.
    """
    bare, mark, query = _USERINFO.sub("//", url_of(call)).partition("?")
    if not mark:
        return bare
    pairs = (pair.partition("=") for pair in query.split("&"))
    return f"{bare}?" + "&".join(
        f"{name}{sign}{quote_plus('(hidden)', safe='()') if sign and _SENSITIVE.search(name) else text}"
        for name, sign, text in pairs
    )


def shown_headers(outgoing: Outgoing) -> dict[str, Value]:
    """Return the headers of a request by lower-case name, with every telling one hidden."""
    pairs = (("user-agent", AGENT), *outgoing.headers)
    return {
        name.lower(): "(hidden)" if _SENSITIVE.search(name) else text
        for name, text in sorted(pairs, key=lambda pair: pair[0].lower())
    }


def _json_bytes(body: Value) -> bytes:
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        return text.encode()
    except (ValueError, TypeError, RecursionError):
        raise malformed("the body cannot be written as JSON") from None


def _encoded(body: str, parameters: str) -> bytes:
    charset = charset_of(f";{parameters}") or "utf-8"
    try:
        return body.encode(charset)
    except (LookupError, UnicodeError):
        raise malformed(f"the body cannot be written in the charset `{charset}`") from None


def _text(request: dict[str, Value], name: str) -> str:
    text = request.get(name)
    if not isinstance(text, str) or not text:
        raise malformed(f"`{name}` must be a text")
    return text
