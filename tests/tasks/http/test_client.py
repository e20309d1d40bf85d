"""The guarded client against servers, resolvers and environments that mean harm."""

import asyncio
import gzip
import socket
import tracemalloc
import zlib
from dataclasses import replace

import pytest

from dirigent import __version__
from dirigent.model.fault import AUTHORIZATION, COMMUNICATION, VALIDATION
from dirigent.tasks.http.client import Bounds, Client, Outgoing, _Pinned, system_resolve
from dirigent.tasks.http.failure import CallFailed
from tasks.http.loopback import SMALL, always, client_of, names, response, serving

MEBIBYTE = 1024 * 1024


async def sent(reply, *, path="/", bounds=SMALL, **outgoing):
    async with serving(reply) as server:
        answer = await client_of(server.host, bounds=bounds).send(
            Outgoing("GET", server.url + path, **outgoing)
        )
    return answer, server


def send(*arguments, **named):
    return asyncio.run(sent(*arguments, **named))


def failure(*arguments, **named):
    with pytest.raises(CallFailed) as failed:
        send(*arguments, **named)
    return failed.value


# Names and addresses.


def test_the_connection_goes_to_the_address_that_was_checked_and_the_name_is_asked_once():
    asked = []

    async def scenario():
        async with serving(always(200, 1)) as server:

            async def resolve(host, port):
                asked.append((host, port))
                # The second answer of a rebinding name, if anybody asked for it.
                return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

            client = Client(("shop.internal",), resolve, SMALL)
            answer = await client.send(Outgoing("GET", f"http://shop.internal:{server.port}/"))
            return answer, server

    answer, server = asyncio.run(scenario())
    assert answer.body == b"1"
    assert asked == [("shop.internal", server.port)]
    assert server.seen[0].headers["host"] == f"shop.internal:{server.port}"


def test_a_name_that_turns_private_is_refused_at_the_next_call():
    client = Client((), names(api_example=[["192.88.99.1"], ["10.0.0.1"]]), SMALL)
    for address in ("192.88.99.1", "10.0.0.1"):
        with pytest.raises(CallFailed, match=address) as failed:
            asyncio.run(client.send(Outgoing("GET", "https://api.example/")))
        assert failed.value.fault.type == AUTHORIZATION
        assert not failed.value.sent


def test_an_undeclared_name_of_this_machine_is_refused_by_its_address():
    async def scenario():
        async with serving(always()) as server:
            client = Client((), names(innocent_example=["8.8.8.8", "127.0.0.1"]), SMALL)
            with pytest.raises(CallFailed, match=r"127\.0\.0\.1"):
                await client.send(Outgoing("GET", f"https://innocent.example:{server.port}/"))
            return server.seen

    assert asyncio.run(scenario()) == []


@pytest.mark.parametrize("answers", [[], None])
def test_a_name_without_an_address_is_a_failure_in_which_nothing_was_sent(answers):
    table = {} if answers is None else {"a_example": answers}
    with pytest.raises(CallFailed, match="does not resolve") as failed:
        asyncio.run(Client((), names(**table), SMALL).send(Outgoing("GET", "https://a.example/")))
    assert failed.value.fault.type == COMMUNICATION
    assert not failed.value.sent


def test_the_resolver_of_the_system_knows_this_machine():
    assert "127.0.0.1" in asyncio.run(system_resolve("127.0.0.1", 80))


def test_a_name_with_a_last_dot_is_called_like_the_one_without():
    async def scenario():
        async with serving(always(200, 1)) as server:
            resolve = names(shop_internal_=["127.0.0.1"])
            client = Client((f"shop.internal:{server.port}",), resolve, SMALL)
            return await client.send(Outgoing("GET", f"http://shop.internal.:{server.port}/"))

    assert asyncio.run(scenario()).body == b"1"


def test_an_address_of_version_six_is_called():
    async def scenario():
        async def answer(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(response(200, 6))
            writer.close()

        try:
            server = await asyncio.start_server(answer, "::1", 0)
        except OSError:
            pytest.skip("this machine has no loopback of IPv6")
        port = server.sockets[0].getsockname()[1]
        answered = await client_of("[::1]").send(Outgoing("GET", f"http://[::1]:{port}/"))
        with pytest.raises(CallFailed, match="non-public"):
            await client_of().send(Outgoing("GET", f"https://[::1]:{port}/"))
        server.close()
        await server.wait_closed()
        return answered

    assert asyncio.run(scenario()).body == b"6"


# Redirects.


def test_a_redirect_is_an_answer():
    answer, server = send(always(302, headers=[("Location", "/elsewhere")]))
    assert answer.status == 302
    assert len(server.seen) == 1


async def followed(location_of, *, declare_second=True, headers=(), bounds=SMALL):
    """Follow from a first server to wherever `location_of(second)` says."""

    def away(seen):
        return response(302, headers=[("Location", location_of(second))])

    async with serving(always(200, 1)) as second, serving(away) as first:
        hosts = (first.host, second.host) if declare_second else (first.host,)
        try:
            outcome = await client_of(*hosts, bounds=bounds).follow(
                Outgoing("GET", first.url, tuple(headers))
            )
        except CallFailed as failed:
            outcome = failed
    return outcome, first, second


def test_following_checks_every_hop():
    outcome, _, second = asyncio.run(followed(lambda second: second.url, declare_second=False))
    assert outcome.fault.type == AUTHORIZATION
    assert second.seen == []


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/latest", "file:///etc/passwd", "http://10.0.0.1/", "https://joe:pw@x/"],
)
def test_following_leads_to_no_forbidden_place(location):
    outcome, _, second = asyncio.run(followed(lambda second: location))
    assert isinstance(outcome, CallFailed)
    assert second.seen == []


def test_following_to_another_origin_drops_credentials():
    headers = [("Authorization", "Bearer x"), ("X-Api-Key", "k"), ("Accept", "a/b")]
    outcome, first, second = asyncio.run(followed(lambda second: second.url, headers=headers))
    assert outcome.body == b"1"
    assert first.seen[0].headers["authorization"] == "Bearer x"
    assert "authorization" not in second.seen[0].headers
    assert "x-api-key" not in second.seen[0].headers
    assert second.seen[0].headers["accept"] == "a/b"


def test_following_within_the_origin_keeps_credentials_and_relative_places():
    def reply(seen):
        return response(200, 1) if seen.target == "/b/c" else response(301, headers=[("Location", "c")])

    async def scenario():
        async with serving(reply) as server:
            outgoing = Outgoing("GET", server.url + "/b/a", (("Authorization", "Bearer x"),))
            return await client_of(server.host).follow(outgoing), server

    answer, server = asyncio.run(scenario())
    assert answer.url.endswith("/b/c")
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer x"] * 2


def test_following_ends():
    async def scenario():
        async with serving(always(302, headers=[("Location", "/")])) as server:
            with pytest.raises(CallFailed, match="more than 2 redirects"):
                await client_of(server.host, bounds=replace(SMALL, redirects=2)).follow(
                    Outgoing("GET", server.url)
                )
            return server.seen

    assert len(asyncio.run(scenario())) == 3


# The environment.


def test_no_proxy_and_no_netrc_come_from_the_environment(monkeypatch, tmp_path):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login joe password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    answer, server = send(always(200, 1))
    assert answer.status == 200
    assert "authorization" not in server.seen[0].headers


def test_no_cookie_is_kept():
    async def scenario():
        async with serving(always(200, 1, [("Set-Cookie", "session=1; Path=/")])) as server:
            client = client_of(server.host)
            for _ in range(2):
                await client.send(Outgoing("GET", server.url))
            return server.seen

    assert all("cookie" not in seen.headers for seen in asyncio.run(scenario()))


def test_no_cookie_is_kept_between_a_challenge_and_its_answer():
    challenge = [("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"'), ("Set-Cookie", "a=1")]

    async def scenario():
        async with serving(always(401, headers=challenge)) as server:
            client = Client(("shop.internal",), names(shop_internal=["127.0.0.1"]), SMALL)
            url = f"http://shop.internal:{server.port}/"
            await client.send(Outgoing("GET", url, digest=("joe", "hunter2")))
            return server.seen

    seen = asyncio.run(scenario())
    assert len(seen) == 2
    assert "cookie" not in seen[1].headers


def test_the_pinned_resolver_knows_the_checked_name_only():
    pinned = _Pinned("a.example", ("8.8.8.8", "2606:4700::1"))
    found = asyncio.run(pinned.resolve("a.example", 443))
    assert [one["host"] for one in found] == ["8.8.8.8", "2606:4700::1"]
    assert len(asyncio.run(pinned.resolve("a.example", 443, socket.AF_INET6))) == 1
    with pytest.raises(OSError, match="was not checked"):
        asyncio.run(pinned.resolve("b.example", 443))


def test_the_client_says_who_it_is():
    _, server = send(always())
    assert server.seen[0].headers["user-agent"] == f"dirigent/{__version__}"


# Sizes.


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity"])
def test_an_answer_in_an_encoding_is_read(encoding):
    encode = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}[encoding]
    answer, _ = send(always(200, encode(b"hello"), [("Content-Encoding", encoding)]))
    assert answer.body == b"hello"


@pytest.mark.parametrize("encode", [gzip.compress, zlib.compress])
def test_a_bomb_is_stopped_at_the_limit_and_not_after_it(encode):
    bomb = encode(bytes(64 * MEBIBYTE))
    headers = [("Content-Encoding", "gzip" if encode is gzip.compress else "deflate")]
    tracemalloc.start()
    try:
        failed = failure(always(200, bomb, headers))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "more than 65536 bytes" in failed.fault.detail
    assert failed.sent
    assert peak < 8 * MEBIBYTE


def test_an_answer_of_just_the_limit_is_read():
    answer, _ = send(always(200, b"x" * 65536))
    assert len(answer.body) == 65536
    assert "more than 65536 bytes" in failure(always(200, b"x" * 65537)).fault.detail


def test_an_answer_without_an_end_is_stopped():
    async def endless(seen):
        return b"HTTP/1.1 200 OK\r\n\r\n" + bytes(MEBIBYTE)

    assert "more than 65536 bytes" in failure(endless).fault.detail


def test_a_request_above_the_limit_is_refused_before_it_is_sent():
    failed = failure(always(), body=bytes(5000))
    assert failed.fault.type == VALIDATION
    assert not failed.sent


@pytest.mark.parametrize(
    "headers", [[("X-A", "x" * 20_000)], [(f"X-{number}", "1") for number in range(500)]]
)
def test_headers_above_the_limit_are_a_failure(headers):
    failed = failure(always(200, 1, headers))
    assert failed.fault.type == COMMUNICATION
    assert failed.sent


# Servers that break off, or talk nonsense.


@pytest.mark.parametrize(
    "raw",
    [
        None,
        b"",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"\x00" * 100,
    ],
)
def test_a_broken_answer_is_a_failure_after_sending_and_is_not_asked_for_again(raw):
    async def scenario():
        async with serving(lambda seen: raw) as server:
            with pytest.raises(CallFailed) as failed:
                await client_of(server.host).send(Outgoing("GET", server.url))
            return failed.value, server.seen

    failed, seen = asyncio.run(scenario())
    assert failed.fault.type == COMMUNICATION
    assert failed.sent
    assert len(seen) == 1


def test_a_server_that_does_not_speak_tls_is_a_failure_before_sending():
    async def scenario():
        async def answer(reader, writer):
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(CallFailed, match=r"E7104: .* does not speak TLS") as failed:
            await client_of("127.0.0.1").send(Outgoing("GET", f"https://127.0.0.1:{port}/"))
        server.close()
        await server.wait_closed()
        return failed.value

    assert not asyncio.run(scenario()).sent


# Time.


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"])
def test_a_slow_server_does_not_hold_the_call(begin):
    async def scenario():
        go = asyncio.Event()

        async def answer(reader, writer):
            writer.write(begin)
            await go.wait()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = client_of("127.0.0.1", bounds=Bounds(total_seconds=0.05))
        with pytest.raises(CallFailed) as failed:
            await client.send(Outgoing("GET", f"http://127.0.0.1:{port}/"))
        go.set()
        server.close()
        await server.wait_closed()
        return failed.value

    failed = asyncio.run(scenario())
    assert failed.fault.status == 408
    assert failed.sent


def test_a_slow_resolver_does_not_hold_the_call():
    async def resolve(host, port):
        await asyncio.Event().wait()

    client = Client((), resolve, Bounds(total_seconds=0.05))
    with pytest.raises(CallFailed, match="no connection") as failed:
        asyncio.run(client.send(Outgoing("GET", "https://a.example/")))
    assert failed.value.fault.status == 408
    assert not failed.value.sent


def test_a_cancelled_call_closes_its_connection():
    async def scenario():
        came = asyncio.Event()
        left = asyncio.Event()

        async def answer(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            came.set()
            await reader.read()
            left.set()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        call = asyncio.create_task(client_of("127.0.0.1").send(Outgoing("GET", f"http://127.0.0.1:{port}/")))
        await came.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(left.wait(), 60)
        server.close()
        await server.wait_closed()

    asyncio.run(scenario())
