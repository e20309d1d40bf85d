"""One server for each protocol over TLS, made in the test: `stage(keys, server, demands)` yields a `Stage`.

`server` is the name of a certificate, None for plain text; `demands` says whether clients must show one.
"""

import asyncio
import json
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

import grpc
from aiohttp import web

from dirigent.app.protocols import asyncapi, extras
from dirigent.jq import LANGUAGE
from dirigent.model.stack import Network
from dirigent.tasks.asyncapi.call import AsyncApiPerformer
from dirigent.tasks.asyncapi.taking import Judge
from dirigent.tasks.grpc.call import GrpcPerformer
from dirigent.tasks.grpc.compiler import Compiler
from dirigent.tasks.http.call import HttpPerformer
from dirigent.tasks.http.client import Client
from dirigent.tasks.http.credentials import Credentials
from dirigent.tasks.http.oauth.tokens import Tokens
from dirigent.tasks.http.tls.trust import Trust
from dirigent.tasks.openapi.document import within
from tasks.asyncapi.amqp_broker import AmqpBroker
from tasks.asyncapi.kafka_broker import KafkaBroker
from tasks.asyncapi.rig import NoWorker, broker, three
from tasks.certificates import PHRASE
from tasks.http.loopback import SMALL, nowhere, order_of, request_of, vault_of
from tasks.tls.front import fronted

PROTO = 'syntax = "proto3"; package shop; service Orders { rpc Place(Order) returns (Order); }\
 message Order { string name = 1; }'

COMPILER = Compiler()


@dataclass
class Stage:
    """A server that listens on `port`, and the call of it. `came` counts what reached the server."""

    keys: object
    port: int
    function: str
    request: dict
    came: list = field(default_factory=list)

    async def call(self, identity=None, *, authorities="ca.pem", **more):
        """Call the server as a stack with these certificates would."""
        identities = {} if identity is None else {"127.0.0.1": identity}
        network = Network(authorities=authorities, identities=identities, tls=("127.0.0.1",))
        vault = vault_of(phrase=PHRASE, wrong="another phrase")
        client = Client([f"127.0.0.1:{self.port}"], nowhere, SMALL, Trust(network, str(self.keys), vault))
        credentials, read = Credentials(vault, Tokens(client, vault)), within(self.keys)
        performer = {
            "http": lambda: HttpPerformer(client, vault),
            "grpc": lambda: GrpcPerformer(client, credentials, read),
            "asyncapi": lambda: AsyncApiPerformer(
                client, credentials, read, Judge(LANGUAGE, NoWorker()), asyncapi.drivers(extras.driver)
            ),
        }[self.function]()
        if self.function == "grpc":
            # A proto file is compiled once for all tests.
            performer._compiler = COMPILER
        return await performer.perform(order_of({**self.request, **more}, function=self.function))


def asyncapi_stage(keys, protocol, port):
    name = f"{protocol}.json"
    (keys / name).write_text(json.dumps(three(protocol, port)))
    document = {"endpoint": f"file://{name}", "authentication": None}
    request = {"document": document, "operation": "go", "message": {"payload": {"n": 1}}}
    return Stage(keys, port, "asyncapi", request)


@asynccontextmanager
async def web_stage(keys, server, demands, protocol):
    """HTTP and WebSocket."""
    came = []

    async def orders(request):
        came.append(request.method)
        if protocol == "https":
            return web.json_response("ok")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        came.extend([message.data async for message in socket])
        return socket

    app = web.Application()
    app.router.add_route("*", "/orders", orders)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        with port_of(keys, server, demands, runner.addresses[0][1]) as port:
            stage = Stage(keys, port, "http", request_of(f"https://127.0.0.1:{port}/orders", method="POST"))
            stage = stage if protocol == "https" else asyncapi_stage(keys, protocol, port)
            stage.came = came
            yield stage
    finally:
        await runner.cleanup()


def port_of(keys, server, demands, behind):
    """Return what yields the port to call: that of a front, or of the server itself in plain text."""
    return nullcontext(behind) if server is None else fronted(keys, server, behind, demands=demands)


@asynccontextmanager
async def grpc_stage(keys, server, demands, protocol):
    """A service that gives back what it gets, as bytes: behind a front, or with the TLS of gRPC itself."""
    came = []

    async def place(request, context):
        came.append(request)
        return request

    (keys / "shop.proto").write_text(PROTO)
    made = grpc.aio.server()
    handlers = {"Place": grpc.unary_unary_rpc_method_handler(place)}
    made.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.Orders", handlers),))
    own = protocol == "grpc itself" and server is not None
    behind = _secure(made, keys, server, demands) if own else made.add_insecure_port("127.0.0.1:0")
    await made.start()
    try:
        with port_of(keys, None if own else server, demands, behind) as port:
            request = {
                "proto": {"endpoint": "file://shop.proto", "authentication": None},
                "service": {"name": "shop.Orders", "host": "127.0.0.1", "port": port},
                "method": "Place",
                "arguments": {"name": "tea"},
            }
            yield Stage(keys, port, "grpc", request, came)
    finally:
        await made.stop(None)


def _secure(made, keys, server, demands):
    pair = ((keys / f"{server}.key").read_bytes(), (keys / f"{server}.pem").read_bytes())
    roots = (keys / "ca.pem").read_bytes() if demands else None
    return made.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair], roots, demands))


def _mosquitto(keys, server, demands):
    def arguments(port, folder):
        lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", "user root"]
        if server is not None:
            lines += [f"certfile {keys}/{server}.pem", f"keyfile {keys}/{server}.key"]
            lines += [f"cafile {keys}/ca.pem", f"require_certificate {str(demands).lower()}"]
        (folder / "m.conf").write_text("\n".join(lines) + "\n")
        return ["-c", str(folder / "m.conf")]

    return arguments


def _nats(keys, server, demands):
    def arguments(port, folder):
        found = ["-a", "127.0.0.1", "-p", str(port)]
        if server is not None:
            found += ["--tls", "--tlscert", f"{keys}/{server}.pem", "--tlskey", f"{keys}/{server}.key"]
        return [*found, "--tlsverify", "--tlscacert", f"{keys}/ca.pem"] if demands else found

    return arguments


PROGRAMS = {"mqtts": ("mosquitto", _mosquitto), "natss": ("nats-server", _nats)}


@asynccontextmanager
async def broker_stage(keys, server, demands, protocol):
    """A broker as a process of its own."""
    program, arguments = PROGRAMS[protocol]
    folder = keys / "brokers" / f"{protocol}-{server}-{demands}"
    folder.mkdir(parents=True, exist_ok=True)
    with broker(program, arguments(keys, server, demands), folder) as port:
        yield asyncapi_stage(keys, protocol, port)


@asynccontextmanager
async def threaded_stage(keys, server, demands, protocol):
    """A broker in a thread, behind a front; one of Kafka names the place where it is to be called."""
    made = AmqpBroker("orders") if protocol == "amqps" else KafkaBroker()
    try:
        with port_of(keys, server, demands, made.port) as port:
            made.advertised = ("127.0.0.1", port)
            yield asyncapi_stage(keys, protocol, port)
    finally:
        made.close()


STAGES = {
    "https": web_stage,
    "wss": web_stage,
    "grpc": grpc_stage,
    "grpc itself": grpc_stage,
    "mqtts": broker_stage,
    "natss": broker_stage,
    "amqps": threaded_stage,
    "kafka-secure": threaded_stage,
}


def played(protocol, keys, play, *, server="server", demands=False):
    """Return what a play on a stage returns, with what came to the server."""

    async def whole():
        async with STAGES[protocol](keys, server, demands, protocol) as stage:
            return await play(stage), stage.came

    return asyncio.run(whole())
