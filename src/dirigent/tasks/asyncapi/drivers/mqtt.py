"""MQTT 3.1.1 through paho, whose thread speaks to the broker. Needs the extra `mqtt`.

Messages in are acknowledged by us (QoS 1 or 2), under a session that outlives the connection: what was not
acknowledged comes again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from paho.mqtt.client import Client as Paho
from paho.mqtt.client import ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from dirigent.model import limits
from dirigent.model.values import Value
from dirigent.tasks.asyncapi.request import Outbound
from dirigent.tasks.asyncapi.site import Site, Subscription, content_of, inbound
from dirigent.tasks.http.failure import broken

KEEPALIVE_SECONDS: Final = 30
# Brokers send so many at a time before they wait for acknowledgements; the default of the most common is 20.
WINDOW: Final = 16


class _Link:
    """A connection, its events brought from paho's thread to our loop."""

    def __init__(self, site: Site, *, lasting: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self._site = site
        self.arrived: asyncio.Queue[MQTTMessage | None] = asyncio.Queue()
        self.connected: asyncio.Future[bool] = self._loop.create_future()
        self.subscribed: asyncio.Future[bool] = self._loop.create_future()
        self.paho = Paho(
            CallbackAPIVersion.VERSION2,
            client_id=f"dirigent-{site.session}" if lasting else "",
            clean_session=not lasting,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        login, tls = site.login, site.tls
        if login is not None:
            self.paho.username_pw_set(*login)
        if tls is not None:
            self.paho.tls_set_context(tls)
        self.paho.connect_timeout = limits.HTTP_CONNECT_SECONDS
        self.paho.on_connect = self._on_connect
        self.paho.on_connect_fail = lambda *_: self._tell(self.connected, answer=False)
        self.paho.on_subscribe = self._on_subscribe
        self.paho.on_disconnect = self._on_disconnect
        self.paho.on_message = lambda _client, _userdata, message: self._put(message)

    async def open(self) -> None:
        """Connect, or raise `CallFailed`."""
        tls = self._site.tls
        try:
            async with asyncio.timeout(limits.HTTP_CONNECT_SECONDS):
                self.paho.connect_async(
                    self._site.addresses[0], self._site.place.server.port, KEEPALIVE_SECONDS
                )
                self.paho.loop_start()
                if not await self.connected:
                    # Paho keeps the error to itself. The broker itself refuses over a connection that stands.
                    cut = ConnectionResetError() if tls is not None and tls.begun and not tls.stood else None
                    raise self._site.lost(cut, "cannot be connected to, or does not let us in", sent=False)
        except TimeoutError:
            words = f"no connection to `{self._site.name}` in time"
            raise broken(words, status=408, sent=False) from None

    async def close(self) -> None:
        """Disconnect, and end paho's thread."""
        self.paho.disconnect()
        await asyncio.to_thread(self.paho.loop_stop)

    def _on_connect(
        self, _client: Paho, _userdata: object, _flags: ConnectFlags, code: ReasonCode, _: Properties | None
    ) -> None:
        self._tell(self.connected, answer=not code.is_failure)

    def _on_subscribe(
        self, _client: Paho, _userdata: object, _mid: int, codes: list[ReasonCode], _: Properties | None
    ) -> None:
        self._tell(self.subscribed, answer=not any(code.is_failure for code in codes))

    def _on_disconnect(
        self,
        _client: Paho,
        _userdata: object,
        _flags: DisconnectFlags,
        _code: ReasonCode,
        _: Properties | None,
    ) -> None:
        self._tell(self.connected, answer=False)
        self._tell(self.subscribed, answer=False)
        self._put(None)

    def _tell(self, future: asyncio.Future[bool], *, answer: bool) -> None:
        def tell() -> None:
            if not future.done():
                future.set_result(answer)

        self._soon(tell)

    def _put(self, message: MQTTMessage | None) -> None:
        self._soon(lambda: self.arrived.put_nowait(message))

    def _soon(self, call: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call)


class MqttDriver:
    """Fits `site.Driver`."""

    async def send(self, site: Site, message: Outbound) -> Value:
        """Publish under the quality of the bindings, 1 by default, and wait for the broker's word."""
        link = _Link(site, lasting=False)
        try:
            await link.open()
            bindings = site.place.bindings
            info = link.paho.publish(
                site.place.address,
                content_of(message),
                _quality(bindings),
                retain=bindings.get("retain") is True,
            )
            await asyncio.to_thread(info.wait_for_publish, limits.HTTP_CONNECT_SECONDS)
            if not info.is_published():
                raise broken(f"`{site.name}` did not acknowledge the message in time", status=408)
        except (OSError, RuntimeError, ValueError) as error:
            raise broken(f"`{site.name}` did not take the message ({type(error).__name__})") from None
        finally:
            await link.close()
        return None

    @asynccontextmanager
    async def subscribed(self, site: Site) -> AsyncIterator[Subscription]:
        """Subscribe under the session's name."""
        link = _Link(site, lasting=True)
        try:
            await link.open()
            code, _ = link.paho.subscribe(site.place.address, _quality(site.place.bindings))
            if code is not MQTTErrorCode.MQTT_ERR_SUCCESS or not await link.subscribed:
                raise broken(f"`{site.name}` refuses the subscription of `{site.place.address}`", sent=False)
            yield _Messages(link, site)
        finally:
            await link.close()


class _Messages:
    def __init__(self, link: _Link, site: Site) -> None:
        self._link = link
        self._site = site
        self._taken: deque[MQTTMessage] = deque()

    async def next(self) -> dict[str, Value]:
        """Return the next message; when the window is full, the oldest one is acknowledged."""
        if len(self._taken) >= WINDOW:
            self._ack(self._taken.popleft())
        message = await self._link.arrived.get()
        if message is None:
            raise broken(f"`{self._site.name}` ended the connection", sent=False)
        self._taken.append(message)
        return inbound(bytes(message.payload), {"topic": message.topic})

    async def drop(self) -> None:
        """Acknowledge the last one."""
        self._ack(self._taken.pop())

    async def settle(self) -> None:
        """Acknowledge all."""
        while self._taken:
            self._ack(self._taken.popleft())

    async def end(self) -> None:
        """End the subscription, so that the broker keeps nothing for us."""
        self._link.paho.unsubscribe(self._site.place.address)

    @property
    def lasting(self) -> bool:
        """Return that the broker keeps messages for a session."""
        return True

    @property
    def cursor(self) -> Value:
        """Return nothing: the messages of MQTT have no places."""
        return None

    def _ack(self, message: MQTTMessage) -> None:
        self._link.paho.ack(message.mid, message.qos)


def _quality(bindings: dict[str, Value]) -> int:
    found = bindings.get("qos")
    return found if isinstance(found, int) and found in {0, 1, 2} else 1
