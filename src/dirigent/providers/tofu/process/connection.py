"""Calls to a provider that runs, and how they fail: it died, it does not know the call, it hangs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

import grpc
from google.protobuf.message import DecodeError, Message

from dirigent.model import limits
from dirigent.providers.tofu.process.launch import NotStarted, Plugin
from dirigent.providers.tofu.wire.calls import SHUTDOWN_PATH, Method
from dirigent.providers.tofu.wire.fields import VERSIONS
from dirigent.providers.tofu.wire.messages import messages

_OPTIONS: Final = (
    ("grpc.default_authority", "localhost"),
    ("grpc.ssl_target_name_override", "localhost"),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", limits.PROVIDER_MESSAGE_BYTES),
    ("grpc.max_send_message_length", limits.PROVIDER_MESSAGE_BYTES),
)


_Caller: TypeAlias = "grpc.aio.UnaryUnaryMultiCallable[Message, Message]"


class CallBroken(Exception):
    """A call ended without an answer; what it was to do may have been done. The message has the evidence."""


class CallUnknown(Exception):
    """The provider does not know the call, so nothing was done."""


class Connection:
    """A provider of one configuration, by calls."""

    def __init__(self, plugin: Plugin, channel: grpc.aio.Channel) -> None:
        """Keep the way to it."""
        self.plugin = plugin
        self.version = plugin.handshake.version
        self._channel = channel
        self._messages = messages(self.version)
        self._callers: dict[str, _Caller] = {}

    def message(self, name: str) -> Message:
        """Return an empty message of the version that it speaks."""
        return self._messages[name]()

    async def call(
        self, method: Method, request: Message, seconds: float = limits.PROVIDER_QUESTION_SECONDS
    ) -> Message:
        """Return the answer to a request. Raises `CallBroken`, `CallUnknown`."""
        try:
            return await self._caller(method)(request, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            raise await self._told(method, error) from None
        except DecodeError as error:
            raise CallBroken(f"it answered `{method.name}` with what cannot be read: {error}") from None

    async def stream(self, method: Method, request: Message, seconds: float) -> AsyncGenerator[Message, None]:
        """Yield the answers to a request as they come, for so long at most. Raises as `call` does.

        Whoever has enough closes it, which ends the call.
        """
        caller = self._channel.unary_stream(
            method.path(self.version),
            request_serializer=_bytes_of,
            response_deserializer=self._messages[method.response].FromString,
        )
        answers = caller(request, timeout=seconds)
        try:
            async for answer in answers:
                yield answer
        except grpc.aio.AioRpcError as error:
            raise await self._told(method, error) from None
        except DecodeError as error:
            raise CallBroken(f"it answered `{method.name}` with what cannot be read: {error}") from None
        finally:
            answers.cancel()

    async def shut(self) -> None:
        """Ask it to end; whether it does is the tether's affair."""
        caller = self._channel.unary_unary(SHUTDOWN_PATH)
        try:
            await caller(b"", timeout=limits.PROVIDER_PARTING_SECONDS)
        except grpc.aio.AioRpcError:
            return

    def _caller(self, method: Method) -> _Caller:
        """Return what makes a call. There are many objects and few calls, so each is made once."""
        caller = self._callers.get(method.name)
        if caller is None:
            caller = self._callers[method.name] = self._channel.unary_unary(
                method.path(self.version),
                request_serializer=_bytes_of,
                response_deserializer=self._messages[method.response].FromString,
            )
        return caller

    async def _told(self, method: Method, error: grpc.aio.AioRpcError) -> Exception:
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            return CallUnknown(f"it does not know `{method.name}`")
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            return CallBroken(f"it did not answer `{method.name}` in time")
        if error.code() is grpc.StatusCode.UNAVAILABLE and await self.plugin.has_ended():
            words = f"it died during `{method.name}`"
        else:
            words = f"it broke off `{method.name}`: {error.details() or error.code().name}"
        return CallBroken("\n".join(filter(None, [words, self.plugin.evidence])))


@asynccontextmanager
async def connected(plugin: Plugin) -> AsyncIterator[Connection]:
    """Yield the connection to a provider, and ask it to end afterwards. Raises `NotStarted`."""
    if plugin.handshake.version not in VERSIONS:
        raise NotStarted(f"it speaks version {plugin.handshake.version} of the protocol, not 5 or 6")
    address, certificate = plugin.handshake.address, plugin.handshake.certificate
    if certificate:
        credentials = grpc.ssl_channel_credentials(certificate)
        channel = grpc.aio.secure_channel(address, credentials, options=_OPTIONS)
    else:
        channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
    async with channel:
        await _stands(channel)
        connection = Connection(plugin, channel)
        try:
            yield connection
        finally:
            await connection.shut()


async def _stands(channel: grpc.aio.Channel) -> None:
    try:
        async with asyncio.timeout(limits.PROVIDER_START_SECONDS):
            while (state := channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
                if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                    raise NotStarted("it cannot be connected to where it says that it listens")
                await channel.wait_for_state_change(state)
    except TimeoutError:
        raise NotStarted("no connection to it came about in time") from None


def _bytes_of(message: Message) -> bytes:
    return bytes(message.SerializeToString())
