"""Work that reaches outside: calls and processes. The requests here are the performers' contract.

A literal host that a document names is noted: the guarded client may reach it, and no other.
"""

from __future__ import annotations

import re
from typing import Final

from dirigent.lang.shape import inner_expression, shortened
from dirigent.lang.tree import Items, Leaf, Members, Node
from dirigent.lang.workflow.expressions import code, secret_member, template
from dirigent.lang.workflow.reading import (
    Reading,
    Scope,
    complain,
    entries_of,
    flag_of,
    member_of,
    named,
    text_of,
)
from dirigent.lang.workflow.tasks import NO_WORK, task
from dirigent.model import limits
from dirigent.model.program import IDENTITY, Call, Sequence, Set, Task
from dirigent.model.program import Node as Work
from dirigent.model.values import Template, UriTemplate

_PROTOCOLS: Final = ("http", "openapi", "grpc", "asyncapi", "a2a", "mcp")
_AUTHORITY: Final = re.compile(r"(https?)://(?:[^/?#@]*@)?([^/?#]+)", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}
_CREDENTIALS: Final = {
    "basic": ("username", "password"),
    "bearer": ("token",),
    "digest": ("username", "password"),
}


def lower_call(reading: Reading, node: Members, scope: Scope) -> Work:
    """Lower `call`: of a protocol, or of a function of the document."""
    function = text_of(node.get("call")) or ""
    arguments = node.get("with")
    if function == "http":
        return Call("http", _http(reading, arguments, scope))
    if function == "openapi":
        return Call("openapi", _openapi(reading, arguments, scope))
    if function in _PROTOCOLS:
        return NO_WORK
    return _function(reading, node, scope)


def _http(reading: Reading, node: Node | None, scope: Scope) -> Template:
    endpoint, authentication = _endpoint(reading, member_of(node, "endpoint"), scope)
    return {
        "method": (text_of(member_of(node, "method")) or "").upper(),
        "endpoint": endpoint,
        "headers": _texts(_map(reading, member_of(node, "headers"), scope)),
        "query": _texts(_map(reading, member_of(node, "query"), scope)),
        "body": template(reading, member_of(node, "body"), scope),
        "has_body": "body" in entries_of(node),
        "output": text_of(member_of(node, "output")) or "content",
        "redirect": flag_of(member_of(node, "redirect"), default=False),
        "authentication": authentication,
    }


def _openapi(reading: Reading, node: Node | None, scope: Scope) -> Template:
    return {
        "document": _resource(reading, member_of(node, "document"), scope),
        "operation": text_of(member_of(node, "operationId")),
        "parameters": _map(reading, member_of(node, "parameters"), scope),
        "output": text_of(member_of(node, "output")) or "content",
        "redirect": flag_of(member_of(node, "redirect"), default=False),
        "authentication": _authentication(reading, member_of(node, "authentication"), scope),
    }


def _resource(reading: Reading, node: Node | None, scope: Scope) -> Template:
    endpoint, authentication = _endpoint(reading, member_of(node, "endpoint"), scope)
    return {"endpoint": endpoint, "authentication": authentication}


def _map(reading: Reading, node: Node | None, scope: Scope) -> Template:
    return {} if node is None else template(reading, node, scope)


def _texts(given: Template) -> Template:
    """Return a map or list of scalars with literal numbers and flags as the text that they stand for."""
    if isinstance(given, dict):
        return {name: _text(value) for name, value in given.items()}
    return [_text(value) for value in given] if isinstance(given, list) else given


def _text(value: Template) -> Template:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _endpoint(reading: Reading, node: Node | None, scope: Scope) -> tuple[Template, Template]:
    """Return the URI of an endpoint and its authentication: both forms of an endpoint are one here."""
    policy: Template = None
    if isinstance(node, Members):
        policy = _authentication(reading, node.get("authentication"), scope)
        node = node.get("uri")
    text = text_of(node)
    if node is None or text is None or inner_expression(text) is not None:
        return template(reading, node, scope), policy
    _note_host(reading, text)
    return UriTemplate(text, node.span) if "{" in text else text, policy


def _note_host(reading: Reading, uri: str) -> None:
    match = _AUTHORITY.match(uri)
    if match and "{" not in match[2]:
        host = match[2].lower().removesuffix(_DEFAULT_PORTS[match[1].lower()])
        reading.hosts.setdefault(host)


def _authentication(reading: Reading, node: Node | None, scope: Scope) -> Template:
    use = member_of(node, "use")
    if isinstance(use, Leaf):
        node = named(reading, "authentications", use, reading.uses.authentications)
    return None if node is None else policy(reading, node, scope)


def policy(reading: Reading, node: Node, scope: Scope) -> Template:
    """Return an authentication: its scheme and credentials, those that it lacks as null."""
    for scheme, members in _CREDENTIALS.items():
        written = member_of(node, scheme)
        if written is None:
            continue
        secret = member_of(written, "use")
        found: dict[str, Template] = {"scheme": scheme, "username": None, "password": None, "token": None}
        for name in members:
            by_name = text_of(secret)
            found[name] = (
                template(reading, member_of(written, name), scope)
                if by_name is None
                else secret_member(reading, secret, by_name, name)
            )
        return found
    return None


def _function(reading: Reading, node: Members, scope: Scope) -> Work:
    """Lower the call of a function: its arguments become the input of the function's task."""
    called = node.get("call")
    name = text_of(called)
    if name is None or called is None or not isinstance(called, Leaf):
        return NO_WORK
    if "://" in name or "@" in name:
        message = f"`{shortened(name)}` is a function of a catalog: catalogs are not supported yet"
        complain(reading, "E1204", message, called.span, "define it under `use.functions`")
        return NO_WORK
    definition = named(reading, "functions", called, reading.uses.functions, also=_PROTOCOLS)
    if definition is None or _endless(reading, called, name, scope):
        return NO_WORK
    inner = Scope(calls=(*scope.calls, name), pointer=scope.pointer, depth=scope.depth)
    member = reading.uses.functions[name]
    body = task(reading, member, inner.at("call", name))
    arguments = node.get("with")
    if arguments is None:
        return Sequence((body,))
    given = Task("with", inner.at("with").pointer, Set(template(reading, arguments, scope)), span=called.span)
    return Sequence((given, body))


def _endless(reading: Reading, called: Leaf, name: str, scope: Scope) -> bool:
    if name in scope.calls:
        way = " calls ".join(f"`{each}`" for each in (*scope.calls[scope.calls.index(name) :], name))
        complain(reading, "E1311", f"{way}: a function cannot call itself", called.span, "use a `for` loop")
        return True
    deep = len(scope.calls) >= limits.RUN_DEPTH or scope.depth >= limits.TASK_DEPTH
    if deep or reading.tasks > limits.GRAPH_TASKS:
        complain(
            reading,
            "E1311",
            f"`{shortened(name)}` is one call too many: functions may stand {limits.RUN_DEPTH} deep, tasks "
            f"{limits.TASK_DEPTH} deep, and a workflow may have {limits.GRAPH_TASKS} tasks",
            called.span,
            "run a workflow of its own instead",
        )
        return True
    return False


def lower_run(reading: Reading, node: Members, scope: Scope) -> Work:
    """Lower `run`: of a shell command, a script, or another workflow."""
    run = node.get("run")
    for kind, request in (("shell", _shell), ("script", _script), ("workflow", _workflow)):
        written = member_of(run, kind)
        if written is not None:
            return Call(
                kind,
                {
                    **request(reading, written, scope),
                    "await": flag_of(member_of(run, "await"), default=True),
                    "return": text_of(member_of(run, "return")) or "stdout",
                },
            )
    return NO_WORK


def _shell(reading: Reading, node: Node, scope: Scope) -> dict[str, Template]:
    return {"command": code(reading, member_of(node, "command"), scope), **_process(reading, node, scope)}


def _script(reading: Reading, node: Node, scope: Scope) -> dict[str, Template]:
    language = text_of(member_of(node, "language"))
    source = member_of(node, "source")
    given: dict[str, Template] = (
        {"code": code(reading, member_of(node, "code"), scope)}
        if source is None
        else {"source": _resource(reading, source, scope)}
    )
    return {
        "language": "js" if language == "javascript" else language,
        **given,
        **_process(reading, node, scope),
    }


def _process(reading: Reading, node: Node, scope: Scope) -> dict[str, Template]:
    return {
        "arguments": _arguments(reading, member_of(node, "arguments"), scope),
        "environment": _texts(_map(reading, member_of(node, "environment"), scope)),
        "stdin": template(reading, member_of(node, "stdin"), scope),
    }


def _arguments(reading: Reading, node: Node | None, scope: Scope) -> Template:
    """Return argv entries. A map gives each key, followed by its value unless that is null."""
    if isinstance(node, Members):
        flat: list[Template] = []
        for member in node:
            value = template(reading, member.node, scope)
            flat += [member.key] if value is None else [member.key, value]
        return _texts(flat)
    return _texts(template(reading, node, scope)) if isinstance(node, Items | Leaf) else []


def _workflow(reading: Reading, node: Node, scope: Scope) -> dict[str, Template]:
    given = member_of(node, "input")
    return {
        "namespace": text_of(member_of(node, "namespace")),
        "name": text_of(member_of(node, "name")),
        "version": text_of(member_of(node, "version")) or "latest",
        "input": IDENTITY if given is None else template(reading, given, scope),
    }
