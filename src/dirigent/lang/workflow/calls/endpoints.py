"""Where a call goes, and the small parts that requests share."""

from __future__ import annotations

import re
from typing import Final

from dirigent.lang.shape import inner_expression
from dirigent.lang.tree import Members, Node
from dirigent.lang.workflow.calls.hosts import note_host
from dirigent.lang.workflow.calls.security import authentication
from dirigent.lang.workflow.expressions import template
from dirigent.lang.workflow.reading import Reading, Scope, member_of, text_of
from dirigent.model.values import Template, UriTemplate

_GITLAB: Final = re.compile(r"(?P<project>https://[^/]+/.+?)/-/(?:tree|blob)/(?P<rest>.+)")
_GITHUB: Final = re.compile(
    r"https://github\.com/(?P<project>[^/]+/[^/]+)(?:/(?:tree|blob)/(?P<reference>[^/]+))?(?:/(?P<path>.*))?"
)
_TAGGED: Final = re.compile(r"(?P<path>[^@]+)@(?P<tag>[^@/]+)")
_COMMIT: Final = re.compile("[0-9a-f]{40}")


def resource(reading: Reading, node: Node | None, scope: Scope) -> Template:
    """Return an external resource as its URI and its authentication."""
    uri, policy = endpoint(reading, member_of(node, "endpoint"), scope)
    return {"endpoint": uri, "authentication": policy}


def mapping(reading: Reading, node: Node | None, scope: Scope) -> Template:
    """Return a map with its expressions; one that is left out is empty."""
    return {} if node is None else template(reading, node, scope)


def texts(given: Template) -> Template:
    """Return a map or list of scalars with literal numbers and flags as the text that they stand for."""
    if isinstance(given, dict):
        return {name: _text(value) for name, value in given.items()}
    return [_text(value) for value in given] if isinstance(given, list) else given


def _text(value: Template) -> Template:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def endpoint(reading: Reading, node: Node | None, scope: Scope) -> tuple[Template, Template]:
    """Return the URI of an endpoint and its authentication: both forms of an endpoint are one here."""
    policy: Template = None
    if isinstance(node, Members):
        policy = authentication(reading, node.get("authentication"), scope)
        node = node.get("uri")
    text = text_of(node)
    if node is None or text is None or inner_expression(text) is not None:
        return template(reading, node, scope), policy
    note_host(reading, text)
    return UriTemplate(text, node.span) if "{" in text else text, policy


def elsewhere(reading: Reading, node: Node | None, scope: Scope, path: str = "") -> Template:
    """Return where something is that is read before the run starts, and note that it is wanted.

    `path` leads from the endpoint to it. A link to a page of a hosted repository becomes one to the file.
    """
    given, policy = endpoint(reading, node, scope)
    if not isinstance(given, str):
        return None
    uri = raw(given.rstrip("/") + path if path else given)
    note_host(reading, uri)
    reading.elsewhere.setdefault(uri)
    return {"endpoint": uri, "authentication": policy}


def raw(uri: str) -> str:
    """Return the URI of the file behind a page of GitHub or GitLab (DSL 1.0, "Catalogs / File Structure")."""
    gitlab = _GITLAB.fullmatch(uri)
    if gitlab:
        return f"{gitlab['project']}/-/raw/{gitlab['rest']}"
    github = _GITHUB.fullmatch(uri)
    if github is None:
        return uri
    path, reference = github["path"] or "", github["reference"]
    if reference is None:
        tagged = _TAGGED.fullmatch(path)
        if tagged:
            path, found = f"{tagged['path']}/function.yaml", f"refs/tags/{tagged['tag']}"
        else:
            found = "HEAD"
    else:
        found = reference if _COMMIT.fullmatch(reference) else f"refs/heads/{reference}"
    return f"https://raw.githubusercontent.com/{github['project']}/{found}/{path}"
