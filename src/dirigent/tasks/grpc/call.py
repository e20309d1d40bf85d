"""The performer of `grpc`. The request is described in `docs/protocols.md`.

Rule: whether a call may be made twice is what the proto file says of its method (`idempotency_level`).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message

from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.run.effect import Done, Order, Outcome
from dirigent.model.values import Value
from dirigent.tasks.grpc.compiler import Compiler, Library
from dirigent.tasks.grpc.conversion import Conversion
from dirigent.tasks.grpc.request import TLS_PORTS, Wanted, wanted_of
from dirigent.tasks.grpc.sources import gathered
from dirigent.tasks.grpc.wire import Exchange, connected, exchanged
from dirigent.tasks.http.authentication import authentication_of, header_of
from dirigent.tasks.http.call import members_of, unrevealed
from dirigent.tasks.http.client import Client
from dirigent.tasks.http.credentials import Credentials
from dirigent.tasks.http.failure import CallFailed, malformed
from dirigent.tasks.http.guard import is_declared
from dirigent.tasks.http.tls.trust import wants_tls
from dirigent.tasks.rpc.credentials import revealed, without_credentials
from dirigent.tasks.rpc.external import Found, Read, Resource, fetched, resource_of
from dirigent.tasks.rpc.message import written
from dirigent.tasks.rpc.outcome import failed, undecided
from dirigent.tasks.secrets import named

PROTO: Final = "proto"
KEY: Final = "idempotency-key"


@dataclass(frozen=True, slots=True)
class _Method:
    """A method with the library that it is from."""

    library: Library
    descriptor: MethodDescriptor

    @property
    def unsafe(self) -> bool:
        """Return whether a second call could have a second effect."""
        level = self.descriptor.GetOptions().idempotency_level
        return bool(level == MethodOptions.IDEMPOTENCY_UNKNOWN)


class GrpcPerformer:
    """Carries out the function `grpc`."""

    def __init__(self, client: Client, credentials: Credentials, read: Read) -> None:
        """Take the guarded client, the credentials that calls share, and the reader of the stack's files."""
        self._client = client
        self._credentials = credentials
        self._vault = credentials.vault
        self._read = read
        self._compiler = Compiler()

    async def perform(self, order: Order) -> Outcome:
        """Do the call, or say why its outcome is in doubt."""
        place, unsafe = "", True
        try:
            bare = members_of(named(without_credentials(members_of(order.request), PROTO)))
            shown = wanted_of(bare)
            place = shown.place
            secret = await revealed(self._credentials, order, PROTO)
            method = await self._method(order, shown, secret)
            unsafe = method.unsafe
            doubt = undecided(order, place, _evidence(shown)) if unsafe else None
            if doubt is not None:
                return doubt
            return Done(self._vault.redact(await self._called(order, method, secret)))
        except CallFailed as failure:
            return failed(self._vault, order, failure, place, unsafe=unsafe)
        except Refusal as refusal:
            return failed(self._vault, order, unrevealed(refusal), place, unsafe=unsafe)

    async def abandon(self, order: Order) -> None:
        """Nothing to stop: the call was cancelled with its task, and the server was told."""

    async def _method(self, order: Order, wanted: Wanted, secret: dict[str, Value]) -> _Method:
        async def fetch(resource: Resource) -> Found:
            return await fetched(self._client, self._read, resource, order.hosts, "proto file")

        resource = resource_of(secret.get(PROTO), PROTO)
        library = await self._compiler.library(await gathered(fetch, resource), resource.endpoint)
        return _Method(library, library.method(wanted.service, wanted.method))

    async def _called(self, order: Order, method: _Method, secret: dict[str, Value]) -> Value:
        wanted = wanted_of(secret)
        exchange = _exchange(method, wanted, self._metadata(order, secret))
        messages = _messages(exchange, wanted)
        host = f"[{wanted.host}]" if ":" in wanted.host else wanted.host
        hosts = (*order.hosts, *self._client.hosts)
        name, port = wanted.host.lower(), wanted.port
        secure = port in TLS_PORTS or wants_tls(self._client.trust, name, port)
        plain = not secure and is_declared(name, port, hosts)
        url = f"{'http' if plain else 'https'}://{host}:{wanted.port}/"
        target, addresses = await self._client.reach(url, order.hosts)
        async with connected(target, addresses, wanted.seconds, self._client.trust) as channel:
            return await exchanged(channel, exchange, messages)

    def _metadata(self, order: Order, secret: dict[str, Value]) -> tuple[tuple[str, str], ...]:
        authentication = authentication_of(secret.get("authentication"))
        authorization = header_of(authentication)
        if authentication is not None and authorization is None:
            raise malformed("digest authentication cannot be used over gRPC; use basic, bearer or a token")
        found = ((KEY, str(order.id)),)
        return found if authorization is None else (*found, ("authorization", authorization))


def _exchange(method: _Method, wanted: Wanted, metadata: tuple[tuple[str, str], ...]) -> Exchange:
    descriptor, pool = method.descriptor, method.library.pool
    return Exchange(
        path=f"/{descriptor.containing_service.full_name}/{descriptor.name}",
        request=Conversion(descriptor.input_type, pool),
        response=Conversion(descriptor.output_type, pool),
        sends_stream=descriptor.client_streaming,
        gets_stream=descriptor.server_streaming,
        metadata=metadata,
        seconds=wanted.seconds,
    )


def _messages(exchange: Exchange, wanted: Wanted) -> list[Message]:
    if exchange.sends_stream:
        return exchange.request.messages(wanted.arguments)
    if isinstance(wanted.arguments, list):
        raise malformed(f"`{wanted.method}` takes one message, and `arguments` is a list")
    return [exchange.request.message(wanted.arguments)]


def _evidence(shown: Wanted) -> dict[str, Value]:
    """Return what a person can look for at the server; secrets are in the digest as their names."""
    return {
        "service": shown.service,
        "method": shown.method,
        "server": f"{shown.host}:{shown.port}",
        "arguments_sha256": sha256(written({"arguments": shown.arguments})).hexdigest(),
    }
