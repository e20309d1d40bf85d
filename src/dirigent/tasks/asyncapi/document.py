"""AsyncAPI 2.6 and 3.0: where an operation's messages go. Pure.

Only what says where and how is read; what a message looks like is left to those who send it.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from dirigent.model.protocols.asyncapi import SPOKEN
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.http.failure import malformed, misconfigured
from dirigent.tasks.openapi.parsing import member, resolved

PORTS: Final = {
    ("http", False): 80,
    ("http", True): 443,
    ("ws", False): 80,
    ("ws", True): 443,
    ("mqtt", False): 1883,
    ("mqtt", True): 8883,
    ("amqp", False): 5672,
    ("amqp", True): 5671,
    ("nats", False): 4222,
    ("nats", True): 4222,
    ("kafka", False): 9092,
    ("kafka", True): 9092,
}
_VARIABLE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Server:
    """Where a broker or server listens, and what is spoken there."""

    protocol: str
    tls: bool
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """Return the URL by which the guard judges it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the messages of an operation go: a server, and an address there.

    `bindings` are those of the channel and the operation for the protocol of the server, `security` the types
    of the ways to log in that the server names.
    """

    server: Server
    address: str
    bindings: dict[str, Value]
    security: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """What a call says of the server: its name with variables, or a protocol, or nothing."""

    name: str = ""
    variables: dict[str, Value] | None = None
    protocol: str = ""


def place_of(root: dict[str, Value], operation: str, channel: str, choice: Choice) -> Place:
    """Return where the messages of an operation (3.0) or on a channel (2.6) go, or raise `CallFailed`."""
    version = str(root.get("asyncapi", ""))
    if version.startswith("3."):
        return _three(root, operation or channel, choice)
    if version.startswith("2."):
        return _two(root, channel or operation, choice)
    raise misconfigured(f"the document says AsyncAPI `{version}`; 2.0 to 2.6 and 3.0 are read")


def _three(root: dict[str, Value], name: str, choice: Choice) -> Place:
    operations = member(root, "operations")
    operation = member(operations, name) or _unknown("operation", name, operations)
    reference = operation.get("channel")
    channel = resolved(root, reference)
    if not isinstance(channel, dict):
        raise misconfigured(f"the operation `{name}` has no channel")
    named = channel.get("servers")
    listed = (
        [_last(each) for each in named]
        if isinstance(named, list) and named
        else list(member(root, "servers"))
    )
    server, written = _chosen(root, listed, choice)
    variables = _values(root, member(written, "variables"), choice.variables)
    host, _, port = _filled(str(written.get("host", "")), variables).partition(":")
    path = _filled(str(written.get("pathname") or ""), variables)
    address = channel.get("address")
    parameters = _values(root, member(channel, "parameters"), None)
    text = _filled(str(_last(reference) if address is None else address), parameters)
    return Place(
        _server(server, written, (host, port, path)),
        text,
        _bindings(root, written, channel, operation),
        _security(root, written),
    )


def _two(root: dict[str, Value], name: str, choice: Choice) -> Place:
    channels = member(root, "channels")
    channel = member(channels, name) or _unknown("channel", name, channels)
    named = channel.get("servers")
    listed = (
        [str(each) for each in named] if isinstance(named, list) and named else list(member(root, "servers"))
    )
    server, written = _chosen(root, listed, choice)
    variables = _values(root, member(written, "variables"), choice.variables)
    url = _filled(str(written.get("url", "")), variables)
    parts = urlsplit(url if "://" in url else f"//{url}")
    try:
        port = str(parts.port or "")
    except ValueError:
        raise misconfigured(f"the server `{server}` has a port that is none") from None
    where = (parts.hostname or "", port, parts.path)
    parameters = _values(root, member(channel, "parameters"), None)
    return Place(
        _server(server, written, where),
        _filled(name, parameters),
        _bindings(root, written, channel),
        _security(root, written),
    )


def _unknown(what: str, name: str, known: dict[str, Value]) -> dict[str, Value]:
    raise misconfigured(f"the document has no {what} `{name}`; it has: {', '.join(known) or 'none'}")


def _chosen(root: dict[str, Value], listed: list[str], choice: Choice) -> tuple[str, dict[str, Value]]:
    servers = member(root, "servers")
    if choice.name:
        written = resolved(root, servers.get(choice.name))
        return choice.name, written if isinstance(written, dict) else _unknown("server", choice.name, servers)
    for name in listed:
        written = resolved(root, servers.get(name))
        if isinstance(written, dict) and (
            not choice.protocol or _spoken(written)[0] == _ours(choice.protocol)
        ):
            return name, written
    raise misconfigured(
        f"the document has no server for this that speaks `{choice.protocol}`"
        if choice.protocol
        else "the document names no server for this"
    )


def _ours(protocol: str) -> str:
    return SPOKEN.get(protocol, (protocol, False))[0]


def _spoken(written: dict[str, Value]) -> tuple[str, bool]:
    protocol = str(written.get("protocol", "")).lower()
    return SPOKEN.get(protocol, (protocol, False))


def _server(name: str, written: dict[str, Value], where: tuple[str, str, str]) -> Server:
    host, port, path = where
    protocol, tls = _spoken(written)
    if (protocol, tls) not in PORTS:
        known = ", ".join(sorted({ours for ours, _ in PORTS}))
        raise misconfigured(
            f"the server `{name}` speaks `{protocol}`, which is not known here; known are {known}"
        )
    if not host:
        raise misconfigured(f"the server `{name}` names no host")
    if port and not port.isdigit():
        raise misconfigured(f"the server `{name}` has the port `{port}`, which is none")
    return Server(protocol, tls, host, int(port) if port else PORTS[protocol, tls], path)


def _values(
    root: dict[str, Value], declared: dict[str, Value], given: dict[str, Value] | None
) -> dict[str, str]:
    """Return the values of variables: what is given, else their default or the first allowed one."""
    found = {name: str(value) for name, value in (given or {}).items()}
    for name, each in declared.items():
        variable = resolved(root, each)
        if name in found or not isinstance(variable, dict):
            continue
        default, allowed = variable.get("default"), variable.get("enum")
        if default is not None:
            found[name] = str(default)
        elif isinstance(allowed, list) and allowed:
            found[name] = str(allowed[0])
    return found


def _filled(text: str, values: dict[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise malformed(f"`{text}` needs the variable `{found[1]}`, which has no value and no default")
        return values[found[1]]

    return _VARIABLE.sub(value, text)


def _last(reference: Value) -> str:
    target = reference.get("$ref") if isinstance(reference, dict) else reference
    return str(target).rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def _security(root: dict[str, Value], server: dict[str, Value]) -> tuple[str, ...]:
    """Return the types of the security schemes: references in version 3, names in version 2."""
    listed = server.get("security")
    known = member(member(root, "components"), "securitySchemes")
    found: list[Value] = []
    for each in listed if isinstance(listed, list) else []:
        named = isinstance(each, dict) and "$ref" not in each and "type" not in each
        schemes = [known.get(name) for name in each] if isinstance(each, dict) and named else [each]
        found += [resolved(root, scheme) for scheme in schemes]
    return tuple(str(each.get("type")) for each in found if isinstance(each, dict))


def _bindings(root: dict[str, Value], *holders: dict[str, Value]) -> dict[str, Value]:
    """Return the bindings for the protocol of the first holder, the server; later holders win."""
    protocol = _spoken(holders[0])[0]
    found: dict[str, Value] = {}
    for holder in holders:
        bindings = resolved(root, holder.get("bindings"))
        found |= member(bindings, protocol)
    return found
