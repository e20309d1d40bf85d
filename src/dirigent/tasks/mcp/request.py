"""The recorded request of an MCP call, read and checked for shape. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from dirigent import __version__
from dirigent.model import limits
from dirigent.model.duration import seconds_of
from dirigent.model.protocols import mcp
from dirigent.model.record import dataclass
from dirigent.model.values import SecretText, Value
from dirigent.tasks.http.authentication import Authentication, authentication_of
from dirigent.tasks.http.failure import malformed
from dirigent.tasks.http.message import headers_of, scalar_text

# What it lists or reads may be asked for again; a tool may do anything.
READING: Final = frozenset(mcp.METHODS) - {"tools/call"}
# Which member of the parameters a method cannot do without.
NEEDED: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


@dataclass(frozen=True, slots=True)
class Web:
    """A server behind a URL."""

    endpoint: str
    headers: dict[str, str] = field(default_factory=dict)
    authentication: Authentication | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """A server that is a process of the call."""

    command: str
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One call. `client` is how we introduce ourselves, `seconds` how long the whole may take."""

    method: str
    params: dict[str, Value]
    transport: Web | Program
    version: str = mcp.VERSION
    client: dict[str, Value] = field(default_factory=dict)
    seconds: float = limits.RPC_TOTAL_SECONDS

    @property
    def unsafe(self) -> bool:
        """Return whether a second call could have a second effect."""
        return self.method not in READING

    @property
    def place(self) -> str:
        """Return the server for people. Only of a request whose secrets are names."""
        transport = self.transport
        return transport.endpoint if isinstance(transport, Web) else transport.command


def wanted_of(value: Value) -> Wanted:
    """Return the call of a request, or raise `CallFailed` naming what is wrong with it."""
    request = members_of(value, "the request")
    method = text_of(request, "method")
    if method not in mcp.METHODS:
        raise malformed(f"`{method}` is not a method of MCP that can be called: {', '.join(mcp.METHODS)}")
    params = optional(request.get("parameters"), "`parameters`")
    needed = NEEDED.get(method)
    if needed is not None and not isinstance(params.get(needed), str):
        raise malformed(f"`{method}` needs the parameter `{needed}`, a text")
    return Wanted(
        method=method,
        params=params,
        transport=_transport_of(
            members_of(request.get("transport"), "`transport`"), request.get("authentication")
        ),
        version=text_of(request, "protocolVersion", mcp.VERSION),
        client=_client_of(optional(request.get("client"), "`client`")),
        seconds=seconds_in(request.get("timeout")),
    )


def members_of(value: Value, what: str) -> dict[str, Value]:
    """Return an object, or raise `CallFailed`."""
    if not isinstance(value, dict):
        raise malformed(f"{what} must be an object")
    return value


def optional(value: Value, what: str) -> dict[str, Value]:
    """Return an object, an empty one for null."""
    return {} if value is None else members_of(value, what)


def text_of(request: dict[str, Value], name: str, otherwise: str = "") -> str:
    """Return a text that is not empty."""
    text = request.get(name)
    if text is None and otherwise:
        return otherwise
    if not isinstance(text, str) or not text:
        raise malformed(f"`{name}` must be a text")
    return text


def seconds_in(value: Value) -> float:
    """Return a time-out in seconds; without one that of all such calls."""
    if value is None:
        return limits.RPC_TOTAL_SECONDS
    try:
        return seconds_of(value)
    except ValueError as error:
        raise malformed(f"`timeout`: {error}") from None


def without_secret_arguments(value: Value) -> None:
    """Raise `CallFailed` when a secret would become an argument: every user can read those of a process."""
    transport = value.get("transport") if isinstance(value, dict) else None
    stdio = transport.get("stdio") if isinstance(transport, dict) else None
    if not isinstance(stdio, dict):
        return
    given = stdio.get("arguments")
    found = [stdio.get("command"), *(given if isinstance(given, list) else [])]
    for each in found:
        if isinstance(each, SecretText):
            raise malformed(f"{each} would become an argument; secrets go into `environment`")


def _transport_of(transport: dict[str, Value], authentication: Value) -> Web | Program:
    http, stdio = transport.get("http"), transport.get("stdio")
    if (http is None) == (stdio is None):
        raise malformed("`transport` must be either `http` or `stdio`")
    if http is not None:
        web = members_of(http, "`transport.http`")
        return Web(
            text_of(web, "endpoint"),
            headers_of(web.get("headers")),
            authentication_of(authentication),
        )
    program = members_of(stdio, "`transport.stdio`")
    arguments = program.get("arguments") or []
    if not isinstance(arguments, list):
        raise malformed("`transport.stdio.arguments` must be a list")
    environment = optional(program.get("environment"), "`transport.stdio.environment`")
    texts = {name: _plain(text, f"the variable `{name}`") for name, text in environment.items()}
    if any(not name or "=" in name or "\0" in name for name in texts):
        raise malformed("`transport.stdio.environment` holds a name that no variable can have")
    return Program(
        _plain(text_of(program, "command"), "`command`"),
        tuple(_plain(each, "an argument") for each in arguments),
        texts,
    )


def _plain(value: Value, what: str) -> str:
    text = scalar_text(value, what)
    if "\0" in text:
        raise malformed(f"{what} holds a NUL character")
    return text


def _client_of(client: dict[str, Value]) -> dict[str, Value]:
    known = {name: client[name] for name in ("name", "version", "description") if client.get(name)}
    return {"name": "dirigent", "version": __version__, **known}
