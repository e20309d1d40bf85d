"""The recorded request of a gRPC call, read and checked for shape. Pure."""

from __future__ import annotations

from typing import Final

from dirigent.model import limits
from dirigent.model.duration import seconds_of
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.http.failure import malformed

TLS_PORT: Final = 443
# Ports on which plain text is not even tried.
TLS_PORTS: Final = frozenset({TLS_PORT, 8443})
PORTS: Final = range(1, 65_536)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One call. `arguments` is a message, or the list of those to be sent."""

    service: str
    host: str
    port: int
    method: str
    arguments: Value
    seconds: float = limits.RPC_TOTAL_SECONDS

    @property
    def place(self) -> str:
        """Return the method for people."""
        return f"{self.service}/{self.method} of `{self.host}:{self.port}`"


def wanted_of(request: dict[str, Value]) -> Wanted:
    """Return the call of a request, or raise `CallFailed` naming what is wrong with it."""
    service = request.get("service")
    if not isinstance(service, dict):
        raise malformed("`service` must be an object")
    port = service.get("port")
    if port is None:
        port = TLS_PORT
    if isinstance(port, bool) or not isinstance(port, int) or port not in PORTS:
        raise malformed(f"`service.port` is `{port}`; it must be a whole number from 1 to 65535")
    arguments = request.get("arguments")
    if arguments is not None and not isinstance(arguments, dict | list):
        raise malformed("`arguments` must be an object, or a list of objects")
    try:
        given = request.get("timeout")
        seconds = limits.RPC_TOTAL_SECONDS if given is None else seconds_of(given)
    except ValueError as error:
        raise malformed(f"`timeout`: {error}") from None
    return Wanted(
        service=_text(service, "name"),
        host=_text(service, "host"),
        port=port,
        method=_text(request, "method"),
        arguments=arguments or {},
        seconds=seconds,
    )


def _text(given: dict[str, Value], name: str) -> str:
    text = given.get(name)
    if not isinstance(text, str) or not text:
        raise malformed(f"`{name}` must be a text")
    return text
