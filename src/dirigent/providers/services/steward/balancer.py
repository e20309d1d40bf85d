"""The stable address: relays connections on loopback to the replicas that are well, in turn.

It knows connections, not requests. A replica that refuses is passed over for the next; one that is
being drained gets nothing new, and what it has may finish.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from dirigent.model import limits
from dirigent.providers.services.steward.ports import LOOPBACK

CONNECT_SECONDS: Final = 2.0
# A connection that is being drained and whose replica spoke last is idle after this time.
QUIET_SECONDS: Final = 2.0
DRAIN_CHECK_SECONDS: Final = 0.05
BACKLOG: Final = 1024


class Side(asyncio.Protocol):
    """One end of a relayed connection; what comes in here goes out at `other`."""

    def __init__(self, relay: Relay) -> None:
        """Belong to a relay; the transport comes later."""
        self.relay = relay
        self.other: Side | None = None
        self.transport: asyncio.Transport | None = None
        self.ended = False
        self.early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport. Nothing is read before the other end stands."""
        if isinstance(transport, asyncio.Transport):
            self.transport = transport
            transport.pause_reading()
            self.relay.stands(self)

    def data_received(self, data: bytes) -> None:
        """Pass it on, or keep it until there is somebody to pass it to.

        Reading is paused until then, but Python before 3.11.4 begins to read after `connection_made`
        all the same; what came so is kept, and pausing once more takes hold.
        """
        self.relay.spoke(self)
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)
        elif self.transport is not None:
            self.early.append(data)
            self.transport.resume_reading()
            self.transport.pause_reading()

    def meet(self, other: Side) -> None:
        """The other end stands: pass on what came early, and read."""
        self.other = other
        if self.transport is None or other.transport is None:
            return
        for data in self.early:
            other.transport.write(data)
        self.early.clear()
        if self.ended:
            other.transport.write_eof()
        self.transport.resume_reading()

    def eof_received(self) -> bool:
        """Pass on that nothing more comes, and keep the other direction open until it ends too."""
        self.ended = True
        other = self.other
        if other is None or other.transport is None:
            return True
        other.transport.write_eof()
        return not other.ended

    def connection_lost(self, reason: Exception | None) -> None:
        """Close the other end; a reset is passed on as a reset."""
        if self.other is not None and self.other.transport is not None:
            if reason is None:
                self.other.transport.close()
            else:
                self.other.transport.abort()
        self.relay.lost()

    def pause_writing(self) -> None:
        """Read no more from the other end while this one is slow."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on."""
        other = self.other
        if other is not None and other.transport is not None and not other.transport.is_closing():
            other.transport.resume_reading()


class Relay:
    """One connection of a client, and the replica that serves it."""

    def __init__(self, balancer: Balancer) -> None:
        """Wait for the client's end."""
        self.balancer = balancer
        self.client = Side(self)
        self.port = 0
        self.opening: asyncio.Task[None] | None = None
        self.replica_spoke_last = True
        self.spoke_at = 0.0

    def stands(self, side: Side) -> None:
        """Look for a replica when the client's end stands."""
        if side is self.client:
            self.opening = asyncio.get_running_loop().create_task(self._open())

    def spoke(self, side: Side) -> None:
        """Note who spoke, and when."""
        self.replica_spoke_last = side is not self.client
        self.spoke_at = asyncio.get_running_loop().time()

    def lost(self) -> None:
        """Forget the connection."""
        self.balancer.relays.discard(self)

    def quiet(self, now: float) -> bool:
        """Return whether nobody seems to wait for an answer."""
        return self.replica_spoke_last and now - self.spoke_at > self.balancer.quiet_seconds

    def close(self) -> None:
        """Close both ends."""
        if self.client.transport is not None:
            self.client.transport.close()

    async def _open(self) -> None:
        for port in self.balancer.candidates():
            if await self._connect(port):
                return
        if self.client.transport is not None:
            self.client.transport.abort()

    async def _connect(self, port: int) -> bool:
        loop = asyncio.get_running_loop()
        replica = Side(self)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.create_connection(lambda: replica, LOOPBACK, port)
        except (OSError, TimeoutError):
            return False
        self.port, self.spoke_at = port, loop.time()
        if replica.transport is None:
            return False
        if self.client.transport is None or self.client.transport.is_closing():
            replica.transport.abort()
        else:
            replica.meet(self.client)
            self.client.meet(replica)
        return True


class Balancer:
    """Listens on one port of loopback, on two while it moves. `relays` are the open connections."""

    def __init__(
        self, quiet_seconds: float = QUIET_SECONDS, connections_max: int = limits.SERVICE_CONNECTIONS
    ) -> None:
        """Listen nowhere, relay to nobody. Connections beyond the most are closed at once."""
        self.quiet_seconds = quiet_seconds
        self.connections_max = connections_max
        self.relays: set[Relay] = set()
        self.port: int | None = None
        self._servers: dict[int, asyncio.Server] = {}
        self._ports: tuple[int, ...] = ()
        self._turn = 0

    async def listen(self, port: int) -> None:
        """Listen there as well. Raises `OSError` when the port is taken."""
        if port not in self._servers:
            loop = asyncio.get_running_loop()
            self._servers[port] = await loop.create_server(self._accept, LOOPBACK, port, backlog=BACKLOG)

    def move(self, port: int | None) -> None:
        """Listen there and nowhere else; it must be listened on already. None listens nowhere."""
        for other in [each for each in self._servers if each != port]:
            self._servers.pop(other).close()
        self.port = port

    def route(self, ports: Sequence[int]) -> None:
        """Relay new connections to these from now on."""
        self._ports = tuple(ports)

    def candidates(self) -> tuple[int, ...]:
        """Return the replicas in the order in which a new connection tries them."""
        if not self._ports or len(self.relays) > self.connections_max:
            return ()
        self._turn = (self._turn + 1) % len(self._ports)
        return self._ports[self._turn :] + self._ports[: self._turn]

    async def drain(self, port: int, grace_seconds: float) -> None:
        """Return when a replica that gets nothing new has finished, or when the grace is over."""
        loop = asyncio.get_running_loop()
        until = loop.time() + grace_seconds
        while loop.time() < until:
            # Those that are still connecting have no port yet and may get this one.
            busy = [relay for relay in self.relays if relay.port in (0, port)]
            if not busy:
                return
            for relay in busy:
                if relay.port == port and relay.quiet(loop.time()):
                    relay.close()
            await asyncio.sleep(DRAIN_CHECK_SECONDS)

    def _accept(self) -> Side:
        relay = Relay(self)
        self.relays.add(relay)
        return relay.client
