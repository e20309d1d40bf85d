"""One call over one channel: connect to the checked address, send, take what comes, say how it ended.

Rule: nothing is sent before the connection stands, so what fails before it leaves no doubt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import grpc
from google.protobuf.message import Message

from dirigent.model import limits
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.grpc.conversion import Conversion
from dirigent.tasks.http.answer import excerpt
from dirigent.tasks.http.failure import CallFailed, broken
from dirigent.tasks.http.guard import Target
from dirigent.tasks.http.tls.handshake import ended, refused_tls, told
from dirigent.tasks.http.tls.pem import pem_of
from dirigent.tasks.http.tls.trust import Trust, shown

# The statuses of gRPC as those of HTTP, as the project itself maps them; a deadline is 408 as elsewhere here.
STATUSES: Final = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 408,
}
# The connection broke, or nobody knows how far the server came.
UNCERTAIN: Final = frozenset(
    {"CANCELLED", "UNKNOWN", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)
# Asks whether a server is well; one that does not know it says so, and nothing else.
HARMLESS: Final = "/grpc.health.v1.Health/Check"
# The connection ended in TLS: so does that of a server that refuses our certificate, or misses one.
CUT_OFF: Final = (
    "Socket closed",
    "Connection reset",
    "handshake failed",
    "Handshake read failed",
    "Unwrap failed",
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is sent and how the two sides talk. `metadata` goes before the first message."""

    path: str
    request: Conversion
    response: Conversion
    sends_stream: bool
    gets_stream: bool
    metadata: tuple[tuple[str, str], ...]
    seconds: float


@asynccontextmanager
async def connected(
    target: Target, addresses: tuple[str, ...], seconds: float, trust: Trust | None
) -> AsyncIterator[grpc.aio.Channel]:
    """Yield a channel to one of the addresses, over TLS for `https`; it stands.

    Raises `CallFailed`, and `Refusal` for certificates that cannot be used (E4123, E7105).
    """
    family = [address for address in addresses if (":" in address) == (":" in addresses[0])]
    scheme = "ipv6" if ":" in addresses[0] else "ipv4"
    places = ",".join(
        f"[{each}]:{target.port}" if ":" in each else f"{each}:{target.port}" for each in family
    )
    options = [
        ("grpc.default_authority", target.place),
        ("grpc.enable_http_proxy", 0),
        ("grpc.enable_retries", 0),
        ("grpc.service_config_disable_resolution", 1),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_receive_message_length", limits.HTTP_RESPONSE_BYTES),
        ("grpc.max_send_message_length", limits.HTTP_REQUEST_BYTES),
    ]
    address = f"{scheme}:{places}"
    if target.url.scheme == "https":
        options.append(("grpc.ssl_target_name_override", target.host))
        pem = await asyncio.to_thread(pem_of, trust, target)
        credentials = grpc.ssl_channel_credentials(pem.authorities, pem.key, pem.certificate)
        channel = grpc.aio.secure_channel(address, credentials, options=options)
    else:
        channel = grpc.aio.insecure_channel(address, options=options)
    async with channel:
        try:
            async with asyncio.timeout(min(seconds, limits.HTTP_CONNECT_SECONDS)):
                await _stands(channel, target, ours=shown(trust, target))
        except TimeoutError:
            raise broken(f"no connection to `{target.place}` in time", status=408, sent=False) from None
        yield channel


async def _stands(channel: grpc.aio.Channel, target: Target, *, ours: bool) -> None:
    while (state := channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
        if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
            raise await _failure(channel, target, ours=ours)
        await channel.wait_for_state_change(state)


async def _failure(channel: grpc.aio.Channel, target: Target, *, ours: bool) -> CallFailed:
    """Return why a channel does not stand. Only a call is told, so one is made that every server may get."""
    words = ""
    try:
        await channel.unary_unary(HARMLESS)(b"")
    except grpc.aio.AioRpcError as error:
        words = error.details() or ""
    if target.url.scheme == "https":
        failure = refused_tls(words, target.place, shown=ours)
        if failure is not None:
            return failure
        if any(each in words for each in CUT_OFF):
            return told(ended(target.place, "it ended the connection in the handshake", shown=ours))
    return broken(f"`{target.place}` cannot be connected to, or does not speak gRPC", sent=False)


async def exchanged(channel: grpc.aio.Channel, exchange: Exchange, messages: list[Message]) -> Value:
    """Return the answer of a call: a value, or the list of them from a stream. Raises `CallFailed`."""
    kind = ("stream" if exchange.sends_stream else "unary") + (
        "_stream" if exchange.gets_stream else "_unary"
    )
    method = getattr(channel, kind)(exchange.path, request_serializer=_bytes_of)
    given = iter(messages) if exchange.sends_stream else messages[0]
    call = method(given, timeout=exchange.seconds, metadata=exchange.metadata)
    try:
        if not exchange.gets_stream:
            return exchange.response.value(exchange.response.parsed(await call))
        return await _listed(call, exchange.response)
    except grpc.aio.AioRpcError as error:
        raise _stated(error) from None
    finally:
        call.cancel()


def _bytes_of(message: Message) -> bytes:
    return bytes(message.SerializeToString(deterministic=True))


async def _listed(call: grpc.aio.UnaryStreamCall, conversion: Conversion) -> list[Value]:
    found: list[Value] = []
    count = 0
    async for content in call:
        count += len(content)
        found.append(conversion.value(conversion.parsed(content)))
        if len(found) > limits.RPC_MESSAGES or count > limits.HTTP_RESPONSE_BYTES:
            raise broken(
                f"the stream has more than {limits.RPC_MESSAGES} messages, "
                f"or more than {limits.HTTP_RESPONSE_BYTES} bytes"
            )
    return found


def _stated(error: grpc.aio.AioRpcError) -> CallFailed:
    name = error.code().name
    words = excerpt(error.details() or "")
    detail = f"ended with {name}: {words}" if words else f"ended with {name}"
    fault = Fault(COMMUNICATION, STATUSES.get(name, 500), name, detail)
    return CallFailed(fault, sent=name in UNCERTAIN)
