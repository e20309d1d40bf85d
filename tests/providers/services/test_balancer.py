import asyncio
import contextlib
import time

import pytest

from dirigent.providers.services.steward import ports
from dirigent.providers.services.steward.balancer import Balancer, Relay, Side


class Backend:
    """A server that says its name, then gives back what it gets, in capitals."""

    def __init__(self, name):
        self.name = name
        self.served = 0

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def _serve(self, reader, writer):
        self.served += 1
        with contextlib.suppress(OSError):
            writer.write(self.name + b"\n")
            while content := await reader.read(65536):
                writer.write(content.upper())
                await writer.drain()
            writer.write(b"bye")
            writer.close()


@contextlib.asynccontextmanager
async def balancer(*backends, quiet_seconds=2.0):
    made = Balancer(quiet_seconds)
    port = ports.choose(ports.STABLE, "test")
    await made.listen(port)
    made.move(port)
    made.route([each.port for each in backends])
    yield made
    made.move(None)
    for relay in list(made.relays):
        relay.close()
    deadline = time.monotonic() + 60
    while made.relays:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


async def talk(port, content=b"x"):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(content)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


def test_connections_go_to_each_replica_in_turn():
    async def main():
        async with Backend(b"a") as a, Backend(b"b") as b, Backend(b"c") as c, balancer(a, b, c) as made:
            answers = [await talk(made.port) for _ in range(6)]
            assert [each.served for each in (a, b, c)] == [2, 2, 2]
            assert sorted(answers) == [b"a\nXbye"] * 2 + [b"b\nXbye"] * 2 + [b"c\nXbye"] * 2

    asyncio.run(main())


def test_a_replica_that_refuses_is_passed_over():
    async def main():
        async with Backend(b"a") as a, Backend(b"b") as b, balancer(a, b) as made:
            a.server.close()
            assert [await talk(made.port) for _ in range(4)] == [b"b\nXbye"] * 4

    asyncio.run(main())


@pytest.mark.parametrize("routed", [False, True])
def test_without_a_replica_the_connection_is_refused_at_once(routed):
    async def main():
        async with Backend(b"a") as a, balancer(a) as made:
            a.server.close()
            if not routed:
                made.route([])
            with pytest.raises(ConnectionError):
                await talk(made.port)

    asyncio.run(main())


def test_connections_beyond_the_most_are_closed_and_the_others_go_on():
    async def main():
        async with Backend(b"a") as a, balancer(a) as made:
            made.connections_max = 1
            reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
            assert await reader.readline() == b"a\n"
            with pytest.raises(ConnectionError):
                await talk(made.port)
            writer.write(b"x")
            assert await reader.read(1) == b"X"
            writer.close()

    asyncio.run(main())


def test_half_closed_connections_work_in_both_directions_with_much_content():
    content = b"abcdefgh" * 512 * 1024

    async def main():
        async with Backend(b"a") as a, balancer(a) as made:
            answer = await talk(made.port, content)
            assert answer == b"a\n" + content.upper() + b"bye"

    asyncio.run(main())


def test_many_connections_at_once_are_all_served():
    async def main():
        async with Backend(b"a") as a, Backend(b"b") as b, balancer(a, b) as made:
            answers = await asyncio.gather(*(talk(made.port) for _ in range(200)))
            assert len(answers) == 200
            assert (a.served, b.served) == (100, 100)

    asyncio.run(main())


def test_a_reset_of_the_replica_is_a_reset_for_the_client():
    async def drop(reader, writer):
        await reader.read(1)
        writer.transport.abort()

    async def main():
        server = await asyncio.start_server(drop, "127.0.0.1", 0)
        async with Backend(b"a") as a, balancer(a) as made:
            made.route([server.sockets[0].getsockname()[1]])
            reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
            writer.write(b"x")
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
        server.close()

    asyncio.run(main())


def test_a_client_that_goes_away_frees_its_replica():
    gone = asyncio.Event()

    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError):
            await reader.read()
        gone.set()
        writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with Backend(b"a") as a, balancer(a) as made:
            made.route([server.sockets[0].getsockname()[1]])
            _, writer = await asyncio.open_connection("127.0.0.1", made.port)
            writer.write(b"x")
            await writer.drain()
            writer.transport.abort()
            await asyncio.wait_for(gone.wait(), 60)
        server.close()

    asyncio.run(main())


def test_drain_waits_for_an_answer_that_is_under_way():
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slow(reader, writer):
        await reader.read(1)
        asked.set()
        await may_answer.wait()
        writer.write(b"late")
        writer.close()

    async def main():
        server = await asyncio.start_server(slow, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with Backend(b"a") as a, balancer(a, quiet_seconds=0.01) as made:
            made.route([port])
            answer = asyncio.create_task(talk(made.port))
            await asked.wait()
            made.route([a.port])
            drained = asyncio.create_task(made.drain(port, 60))
            await asyncio.sleep(0.05)
            assert not drained.done()
            may_answer.set()
            await drained
            assert await answer == b"late"
            assert await talk(made.port) == b"a\nXbye"
        server.close()

    asyncio.run(main())


def test_drain_closes_what_is_quiet_and_gives_up_at_the_end_of_the_grace():
    async def main():
        async with Backend(b"a") as a, balancer(a, quiet_seconds=0.01) as made:
            reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
            assert await reader.readline() == b"a\n"
            made.route([])
            await made.drain(a.port, 60)
            assert await reader.read() == b""
            writer.close()
            made.route([a.port])
            made.quiet_seconds = 60
            reader, held = await asyncio.open_connection("127.0.0.1", made.port)
            assert await reader.readline() == b"a\n"
            begun = time.monotonic()
            await made.drain(a.port, 0.05)
            assert 0.04 < time.monotonic() - begun < 30
            held.close()

    asyncio.run(main())


def test_ports_are_searched_from_different_places_and_taken_ones_are_passed_over():
    async def main():
        first = ports.choose(ports.STABLE, "one")
        assert ports.choose(ports.STABLE, "one") == first
        assert ports.choose(ports.STABLE, "two") != first
        made = Balancer()
        await made.listen(first)
        made.move(first)
        assert not ports.is_free(first)
        assert ports.choose(ports.STABLE, "one") != first
        with pytest.raises(ports.NoPort, match="no free port"):
            ports.choose(range(first, first + 1), "one")
        made.move(None)
        assert ports.is_free(first)

    asyncio.run(main())


class SlowToPause(asyncio.Transport):
    """A transport as Python before 3.11.4 has it: the first pause does not hold."""

    def __init__(self):
        super().__init__()
        self.written, self.pauses = [], 0

    def write(self, data):
        self.written.append(bytes(data))

    def write_eof(self):
        self.written.append("eof")

    def pause_reading(self):
        self.pauses += 1

    def resume_reading(self):
        pass

    def is_closing(self):
        return False


def test_what_a_client_says_before_its_replica_stands_is_passed_on_in_order():
    async def scene():
        relay = Relay(Balancer())
        client, replica = relay.client, Side(relay)
        client.transport, replica.transport = SlowToPause(), SlowToPause()
        client.data_received(b"GET ")
        client.data_received(b"/")
        assert client.eof_received(), "the client still waits for its answer"
        client.meet(replica)
        client.data_received(b"late")
        return client.transport, replica.transport

    client, replica = asyncio.run(scene())
    assert replica.written == [b"GET ", b"/", "eof", b"late"]
    assert client.pauses == 2, "each early word pauses the reading again"
