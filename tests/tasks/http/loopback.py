"""A server on loopback that answers as a test tells it, byte by byte, and remembers what came."""

import asyncio
import inspect
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from dirigent.model.ids import EffectId, Position, RunId
from dirigent.model.program import OnDoubt
from dirigent.model.run.effect import Order
from dirigent.model.stack import Secret
from dirigent.model.values import SecretRef, SecretText
from dirigent.tasks.http.call import HttpPerformer
from dirigent.tasks.http.client import Bounds, Client
from dirigent.tasks.http.credentials import Credentials
from dirigent.tasks.http.oauth.tokens import Tokens
from dirigent.tasks.secrets import EnvironmentVault

KEY = "0123456789abcdef0123456789abcdef"


@dataclass
class Seen:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    raw: bytes

    @property
    def content(self):
        return json.loads(self.body)


@dataclass
class Loopback:
    reply: object
    seen: list[Seen] = field(default_factory=list)
    port: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    async def answer(self, reader, writer):
        try:
            seen = await seen_by(reader)
            if seen is None:
                return
            self.seen.append(seen)
            reply = self.reply(seen)
            if inspect.isawaitable(reply):
                reply = await reply
            if reply is not None:
                writer.write(reply)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            self.ended.set()
            writer.close()


async def seen_by(reader):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode().strip().split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = b""
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    method, target, _ = first.split(" ")
    return Seen(method, target, headers, body, head + body)


@asynccontextmanager
async def serving(reply):
    loopback = Loopback(reply)
    server = await asyncio.start_server(loopback.answer, "127.0.0.1", 0)
    loopback.port = server.sockets[0].getsockname()[1]
    try:
        yield loopback
    finally:
        server.close()
        await server.wait_closed()


def response(status=200, body=b"", headers=(), *, content_type="application/json"):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    if body and content_type:
        lines.append(f"Content-Type: {content_type}")
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def always(*arguments, **named):
    return lambda seen: response(*arguments, **named)


async def nowhere(host, port):
    raise OSError(f"no resolver in tests: {host}")


def names(**table):
    """Return a resolver of a fixed table; a list of lists gives another answer each time."""
    rounds = {name.replace("_", "."): list(answers) for name, answers in table.items()}

    async def resolve(host, port):
        answers = rounds.get(host)
        if answers is None:
            raise OSError(host)
        if answers and isinstance(answers[0], list):
            return answers.pop(0) if len(answers) > 1 else answers[0]
        return answers

    return resolve


SMALL = Bounds(connect_seconds=60, total_seconds=60, request_bytes=4096, response_bytes=64 * 1024)


def client_of(*hosts, resolve=nowhere, bounds=SMALL):
    return Client(hosts, resolve, bounds)


def vault_of(**secrets):
    declared = {name: Secret(name, "env", name.upper()) for name in secrets}
    return EnvironmentVault(declared, {name.upper(): text for name, text in secrets.items()}, "/nowhere")


def credentials_of(**secrets):
    vault = vault_of(**secrets)
    return Credentials(vault, Tokens(client_of(), vault))


def order_of(request, *, function="http", doubtful=False, on_doubt=OnDoubt.HOLD, hosts=(), **more):
    return Order(
        run=RunId("r1"),
        position=Position("/do/0/call"),
        attempt=more.pop("attempt", 1),
        id=EffectId(KEY),
        function=function,
        request=request,
        on_doubt=on_doubt,
        doubtful=doubtful,
        hosts=hosts,
        **more,
    )


def secret(name="token", before="", after=""):
    return SecretText((before, SecretRef(name), after))


def request_of(url, method="get", **more):
    return {"method": method, "endpoint": url, **more}


async def outcome_of(reply, method="get", path="/", *, vault=None, bounds=SMALL, order=None, **request):
    """Return the outcome of one call to a server that replies so, and the server."""
    async with serving(reply) as server:
        performer = HttpPerformer(client_of(server.host, bounds=bounds), vault or vault_of())
        outcome = await performer.perform(
            order_of(request_of(server.url + path, method, **request), **(order or {}))
        )
    return outcome, server


def call(*arguments, **named):
    return asyncio.run(outcome_of(*arguments, **named))
