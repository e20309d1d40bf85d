"""One operation of a document in one form, whichever version of OpenAPI it was written in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final
from urllib.parse import urlsplit

from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.http.client import joined
from dirigent.tasks.http.failure import malformed, misconfigured
from dirigent.tasks.http.message import FORM, JSON, KEY_HEADER, is_json
from dirigent.tasks.http.multipart import MEDIA as MULTIPART
from dirigent.tasks.openapi.document import Document
from dirigent.tasks.openapi.parsing import member, resolved

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch")
STYLES: Final = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
# OpenAPI says that parameters of these names are ignored: they are described elsewhere.
NOT_PARAMETERS: Final = frozenset({"accept", "content-type", "authorization"})
COLLECTIONS: Final = {
    "csv": "simple",
    "ssv": "spaceDelimited",
    "pipes": "pipeDelimited",
    "tsv": "tabDelimited",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter. `location` is path, query, header, cookie or form; `json` says that its text is JSON."""

    name: str
    location: str
    required: bool
    style: str
    explode: bool
    schema: dict[str, Value]
    json: bool = False
    reserved: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """The body: `name` is the parameter that gives it, `members` those that may be given one by one."""

    media: str
    required: bool
    members: frozenset[str] = frozenset()
    name: str = "body"


@dataclass(frozen=True, slots=True)
class Operation:
    """What a call of it needs. `server` is absolute and has no slash at its end."""

    id: str
    method: str
    server: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    root: dict[str, Value]
    version: str

    @property
    def keyed(self) -> bool:
        """Return whether the operation says that it honours `Idempotency-Key`."""
        return any(p.location == "header" and p.name.lower() == KEY_HEADER.lower() for p in self.parameters)


def operation_of(document: Document, name: str) -> Operation:
    """Return the operation with that id, or raise `CallFailed` with the nearest names there are."""
    root = document.content
    # YAML reads `swagger: 2.0` without quotes as a number.
    version = str(root.get("openapi") or root.get("swagger"))
    if not re.match(r"(2\.0|3\.[01])(\.|$)", version):
        raise misconfigured(
            f"`{document.place}` is not an OpenAPI document of version 2.0, 3.0 or 3.1 (it says `{version}`)"
        )
    known: list[str] = []
    for path, method, item, node in _operations(root):
        if node.get("operationId") == name:
            return _read(document, version, path, method, (item, node))
        known.append(str(node.get("operationId", "")))
    raise malformed(
        f"`{document.place}` has no operation `{name}`{suggestion(name, [one for one in known if one])}"
    )


def suggestion(name: str, known: list[str]) -> str:
    """Return `; did you mean ...?` or `; it has ...`, or nothing when there is nothing to name."""
    near = get_close_matches(name, known, n=1)
    if near:
        return f"; did you mean `{near[0]}`?"
    shown = ", ".join(f"`{one}`" for one in sorted(known)[:10])
    return f"; there are {shown}" if shown else ""


def _operations(
    root: dict[str, Value],
) -> Iterator[tuple[str, str, dict[str, Value], dict[str, Value]]]:
    for path, written in member(root, "paths").items():
        item = resolved(root, written)
        if not isinstance(item, dict):
            continue
        for method in METHODS:
            node = item.get(method)
            if isinstance(node, dict):
                yield path, method, item, node


def _read(
    document: Document,
    version: str,
    path: str,
    method: str,
    nodes: tuple[dict[str, Value], dict[str, Value]],
) -> Operation:
    root = document.content
    item, node = nodes
    found: dict[tuple[str, str], dict[str, Value]] = {}
    for owner in (item, node):
        listed = owner.get("parameters")
        for written in listed if isinstance(listed, list) else []:
            one = resolved(root, written)
            if isinstance(one, dict):
                found[str(one.get("name")), str(one.get("in"))] = one
    second = version.startswith("2.")
    server = _host(document) if second else _server(document, (node, item, root))
    parameters = tuple(
        _flat_parameter(one) if second else _parameter(root, one)
        for (name, location), one in found.items()
        if location != "body" and not (location == "header" and name.lower() in NOT_PARAMETERS)
    )
    return Operation(
        id=str(node.get("operationId")),
        method=method.upper(),
        server=server.rstrip("/"),
        path=path,
        parameters=parameters,
        body=_listed_body(root, node, list(found.values())) if second else _body(root, node),
        root=root,
        version=version,
    )


def _parameter(root: dict[str, Value], node: dict[str, Value]) -> Parameter:
    location = str(node.get("in"))
    if location not in STYLES:
        raise misconfigured(f"the parameter `{node.get('name')}` stands in `{location}`, which is no place")
    style = str(node.get("style") or STYLES[location])
    content = member(node, "content")
    schema = resolved(root, node.get("schema") or member(next(iter(content.values()), None), "schema"))
    explode = node.get("explode")
    return Parameter(
        name=str(node.get("name")),
        location=location,
        required=node.get("required") is True or location == "path",
        style=style,
        explode=explode if isinstance(explode, bool) else style == "form",
        schema=schema if isinstance(schema, dict) else {},
        json=bool(content),
        reserved=node.get("allowReserved") is True,
    )


def _flat_parameter(node: dict[str, Value]) -> Parameter:
    """Return a parameter of version 2.0, whose schema is the parameter itself."""
    location = str(node.get("in"))
    if location not in {"path", "query", "header", "formData"}:
        raise misconfigured(f"the parameter `{node.get('name')}` stands in `{location}`, which is no place")
    collection = str(node.get("collectionFormat") or "csv")
    schema = {
        name: inner
        for name, inner in node.items()
        if name in {"type", "items", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern"}
    }
    style = COLLECTIONS.get(collection, "simple")
    if location in {"query", "formData"} and style == "simple":
        style = "form"
    return Parameter(
        name=str(node.get("name")),
        location="form" if location == "formData" else location,
        required=node.get("required") is True or location == "path",
        style=style,
        explode=collection == "multi",
        schema={} if node.get("type") == "file" else schema,
    )


def _body(root: dict[str, Value], node: dict[str, Value]) -> Body | None:
    written = resolved(root, node.get("requestBody"))
    content = member(written, "content")
    if not isinstance(written, dict) or not content:
        return None
    media = _preferred(list(content))
    schema = member(content.get(media), "schema")
    return Body(media, written.get("required") is True, _members(root, schema))


def _listed_body(
    root: dict[str, Value], node: dict[str, Value], listed: list[dict[str, Value]]
) -> Body | None:
    consumes = node.get("consumes") or root.get("consumes")
    medias = [str(one) for one in consumes] if isinstance(consumes, list) else []
    for one in listed:
        if one.get("in") == "body":
            schema = member(one, "schema")
            required = one.get("required") is True
            return Body(_preferred(medias or [JSON]), required, _members(root, schema), str(one.get("name")))
    fields = [one for one in listed if one.get("in") == "formData"]
    if fields:
        # A file needs parts, whatever is said for the document as a whole; other fields go as a plain form
        # where that is taken.
        if any(one.get("type") == "file" for one in fields):
            return Body(MULTIPART, required=False, name="")
        takes = [media for media in (FORM, MULTIPART) if not medias or media in medias]
        if not takes:
            raise misconfigured(
                f"a form is sent as `{FORM}` or `{MULTIPART}`, and the operation wants `{medias[0]}`"
            )
        return Body(takes[0], required=False, name="")
    return None


def _members(root: dict[str, Value], schema: Value) -> frozenset[str]:
    """Return the properties that a body's schema names, its own and those of `allOf`."""
    node = resolved(root, schema)
    parts = node.get("allOf") if isinstance(node, dict) else None
    nodes = [node, *(resolved(root, part) for part in (parts if isinstance(parts, list) else []))]
    return frozenset(name for one in nodes for name in member(one, "properties"))


def _preferred(medias: list[str]) -> str:
    """Return the media type to send: JSON if it may be, else a form, else the first."""
    plain = [media.partition(";")[0].strip().lower() for media in medias]
    for wanted in (JSON, FORM, MULTIPART):
        if wanted in plain:
            return medias[plain.index(wanted)]
    if "*/*" in plain or "application/*" in plain:
        return JSON
    return next((media for media in medias if is_json(media.lower())), medias[0])


def _server(document: Document, owners: tuple[dict[str, Value], ...]) -> str:
    """Return the URL of the first server, its variables at their defaults."""
    for owner in owners:
        servers = owner.get("servers")
        if isinstance(servers, list) and servers:
            return _absolute(document, _filled(servers[0]))
    return _absolute(document, "/")


def _filled(server: Value) -> str:
    """Return the URL of a server object with its variables at their defaults."""
    url = server.get("url") if isinstance(server, dict) else None
    variables = member(server, "variables")

    def default(match: re.Match[str]) -> str:
        return str(member(variables, match[1]).get("default", match[0]))

    return re.sub(r"\{([^{}]*)\}", default, url if isinstance(url, str) else "/")


def _host(document: Document) -> str:
    """Return the server of a document of version 2.0: https if it may be."""
    root = document.content
    listed = root.get("schemes")
    schemes = [str(one) for one in listed] if isinstance(listed, list) else []
    scheme = next((one for one in ("https", "http") if one in schemes), urlsplit(document.url or "").scheme)
    path = str(root.get("basePath") or "/")
    host = root.get("host")
    if not isinstance(host, str):
        return _absolute(document, path)
    return f"{scheme or 'https'}://{host}/{path.lstrip('/')}"


def _absolute(document: Document, url: str) -> str:
    if urlsplit(url).scheme:
        return url
    if document.url is None:
        raise misconfigured(
            f"`{document.place}` is a file and names no server; give it an absolute URL under `servers`"
        )
    return joined(document.url, url)
