import asyncio

import pytest

from dirigent.providers.services.definition import Definition, Health
from dirigent.providers.services.steward.health import ailment
from dirigent.providers.services.steward.replica import Replica


def verdict(answer, *, path="/health", timeout=60.0, hold=False):
    """Return what a check says of a server that gives this answer, and what the server was asked."""
    asked, held = [], []

    async def serve(reader, writer):
        held.append(writer)
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        if not hold:
            writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        health = Health("http", path, timeout_seconds=timeout)
        found = await ailment(Definition(("x",), "/", health=health), port, lambda *_: None)
        server.close()
        for writer in held:
            writer.transport.abort()
        await asyncio.sleep(0.01)
        return found, asked, port

    return asyncio.run(main())


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.0 204 No Content",
        b"HTTP/1.1 302 Found",
        b"HTTP/1.1 200",
        b"HTTP/1.1 399 x",
    ],
)
def test_success_and_redirection_are_well(line):
    found, asked, port = verdict(line + b"\r\nContent-Length: 0\r\n\r\n")
    assert found is None
    assert asked[0].startswith(b"GET /health HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{port}\r\n".encode() in asked[0]
    assert b"Connection: close\r\n" in asked[0]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 500 broken\r\n\r\n", "GET /health answered 500"),
        (b"HTTP/1.1 404 none\r\n\r\n", "GET /health answered 404"),
        (b"", "GET /health got no HTTP answer"),
        (b"SSH-2.0-server\r\n", "GET /health got no HTTP answer"),
        (b"HTTP/1.1 2000 many\r\n", "GET /health got no HTTP answer"),
        (b"x" * 100_000, "GET /health failed"),
    ],
)
def test_everything_else_is_an_ailment(answer, reason):
    assert verdict(answer)[0].startswith(reason)


def test_no_answer_in_time_is_an_ailment():
    assert verdict(b"HTTP/1.1 ", hold=True, timeout=0.1)[0] == "health check took longer than 0.1 s"


@pytest.mark.slow
def test_a_server_that_keeps_the_connection_open_is_well_all_the_same():
    assert verdict(b"HTTP/1.1 200 ok\r\nContent-Length: 0\r\n\r\n", hold=True)[0] is None


def test_a_replica_that_is_late_says_so_whatever_is_found_while_it_is_told():
    definition = Definition(("x",), "/", health=Health(command=("false",), within_seconds=0.01))
    replica = Replica(1, definition, None, "owner", lambda: None)
    assert not asyncio.run(replica.settled())
    replica.ailment = "health command ended with exit code 1"
    assert (
        replica.complaint()
        == "replica 1 was not healthy within 0.01 s: health command ended with exit code 1"
    )
