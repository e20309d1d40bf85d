"""gRPC: all four kinds of methods, proto files with imports, and servers that fail in every way."""

import asyncio
from contextlib import asynccontextmanager

import grpc
import pytest

from dirigent.model.fault import AUTHORIZATION, COMMUNICATION, CONFIGURATION, VALIDATION
from dirigent.model.program import OnDoubt
from dirigent.model.run.effect import Broken, Done, Doubt
from dirigent.tasks.grpc import compiler
from dirigent.tasks.grpc.call import GrpcPerformer
from dirigent.tasks.grpc.conversion import Conversion
from dirigent.tasks.grpc.sources import Sources
from dirigent.tasks.openapi.document import within
from tasks.http.loopback import KEY, client_of, credentials_of, order_of, response, secret, serving

pytestmark = pytest.mark.slow

MAIN = """
syntax = "proto3";
package shop;
import "kinds/money.proto"; // import "not/this.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/struct.proto";
/* import "nor/this.proto"; */
service Orders {
  rpc Place(Order) returns (Receipt);
  rpc Look(Order) returns (Receipt) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Watch(Order) returns (stream Receipt);
  rpc Upload(stream Order) returns (Receipt);
  rpc Talk(stream Order) returns (stream Receipt);
}
message Order {
  string name = 1; int64 amount = 2; kinds.Money price = 3; google.protobuf.Timestamp at = 4;
  google.protobuf.Struct more = 5; bytes raw = 6; Size size = 7;
}
enum Size { SMALL = 0; LARGE = 1; }
message Receipt { string text = 1; int32 count = 2; Order order = 3; repeated string notes = 4; }
"""
MONEY = 'syntax = "proto3"; package kinds; message Money { string currency = 1; double units = 2; }'
TEXTS = {"shop.proto": MAIN, "kinds/money.proto": MONEY}
LIBRARY = []
RUBBISH = b"\xff\xff"


def library():
    """Compile once for all tests."""
    if not LIBRARY:
        sources = Sources("shop.proto", {name: text.encode() for name, text in TEXTS.items()})
        LIBRARY.append(compiler._library(compiler._compiled(sources, "shop.proto"), "shop.proto"))
    return LIBRARY[0]


class Orders:
    """The service, on messages as values. `how` says in which way it fails."""

    def __init__(self, how=""):
        self.how = how
        self.seen = []
        self.metadata = []
        self.gate = asyncio.Event()
        self.asked = asyncio.Event()

    async def place(self, order, context):
        await self._fail(order, context)
        return {"text": f"{order.get('name')} placed", "order": order}

    async def watch(self, order, context):
        for count in range(3):
            if count == 2:
                await self._fail(order, context)
            yield {"count": count}

    async def upload(self, orders, context):
        names = [order["name"] async for order in orders]
        return {"text": ",".join(names), "count": len(names)}

    async def talk(self, orders, context):
        async for order in orders:
            yield {"text": order["name"]}

    async def _fail(self, order, context):
        self.seen.append(order)
        self.asked.set()
        self.metadata.append(dict(context.invocation_metadata()))
        if self.how == "silent":
            await self.gate.wait()
        elif self.how == "raises":
            raise ValueError("a defect of the server")
        elif self.how:
            await context.abort(grpc.StatusCode[self.how], "sold out s3cret-token")


def service_of(orders):
    methods = library().services["shop.Orders"].methods_by_name

    def method_of(name, function):
        method = methods[name]
        pool = library().pool
        given, taken = Conversion(method.input_type, pool), Conversion(method.output_type, pool)
        kind = ("stream" if method.client_streaming else "unary") + (
            "_stream" if method.server_streaming else "_unary"
        )
        make = getattr(grpc, f"{kind}_rpc_method_handler")

        def read(content):
            return given.value(given.parsed(content))

        def write(value):
            return RUBBISH if orders.how == "rubbish" else taken.message(value).SerializeToString()

        return make(function, request_deserializer=read, response_serializer=write)

    served = {
        "Place": orders.place,
        "Look": orders.place,
        "Watch": orders.watch,
        "Upload": orders.upload,
        "Talk": orders.talk,
    }
    return grpc.method_handlers_generic_handler(
        "shop.Orders", {name: method_of(name, each) for name, each in served.items()}
    )


class Rubbish(Orders):
    """Answers every order with bytes that are no receipt."""

    async def _fail(self, order, context):
        self.seen.append(order)


@asynccontextmanager
async def served(orders):
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((service_of(orders),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        orders.gate.set()
        await server.stop(None)


@pytest.fixture
def folder(tmp_path):
    for name, text in TEXTS.items():
        path = tmp_path / "protos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def request_of(port, method="Place", arguments=None, **more):
    return {
        "proto": {"endpoint": "file://protos/shop.proto", "authentication": None},
        "service": {"name": "shop.Orders", "host": "127.0.0.1", "port": port},
        "method": method,
        "arguments": {"name": "tea"} if arguments is None else arguments,
        **more,
    }


async def outcome_of(folder, method="Place", arguments=None, *, orders=None, order=None, hosts=None, **more):
    orders = orders or Orders()
    credentials = more.pop("credentials", None) or credentials_of()
    async with served(orders) as port:
        client = client_of(*([f"127.0.0.1:{port}"] if hosts is None else hosts))
        performer = GrpcPerformer(client, credentials, within(folder))
        request = {**request_of(port, method, arguments), **more}
        return await performer.perform(order_of(request, function="grpc", **(order or {}))), orders


def call(*arguments, **named):
    return asyncio.run(outcome_of(*arguments, **named))


def test_a_unary_method_takes_and_gives_a_message_in_its_json_form(folder):
    given = {
        "name": "tea",
        "amount": 9007199254740993,
        "price": {"currency": "EUR", "units": 2.5},
        "at": "2026-01-02T03:04:05Z",
        "more": {"a": [1, None, "x"]},
        "raw": "AP8=",
        "size": "LARGE",
    }
    outcome, _ = call(folder, "Place", given)
    shown = {**given, "amount": "9007199254740993", "more": {"a": [1.0, None, "x"]}}
    assert outcome == Done({"text": "tea placed", "count": 0, "order": shown, "notes": []})


def test_a_stream_of_the_server_is_an_array(folder):
    outcome, _ = call(folder, "Watch")
    assert [each["count"] for each in outcome.output] == [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([{"name": "a"}, {"name": "b"}], "a,b"),
        ({"messages": [{"name": "a"}]}, "a"),
        ({"name": "c"}, "c"),
        ([], ""),
    ],
)
def test_a_stream_of_the_client_is_a_list_of_arguments(folder, arguments, text):
    outcome, _ = call(folder, "Upload", arguments)
    assert outcome.output["text"] == text


def test_both_sides_may_stream(folder):
    outcome, _ = call(folder, "Talk", [{"name": "a"}, {"name": "b"}])
    assert [each["text"] for each in outcome.output] == ["a", "b"]


def test_the_service_may_be_named_by_its_last_name(folder):
    async def short():
        async with served(Orders()) as port:
            performer = GrpcPerformer(client_of(f"127.0.0.1:{port}"), credentials_of(), within(folder))
            request = request_of(port)
            request["service"]["name"] = "Orders"
            return await performer.perform(order_of(request, function="grpc"))

    assert isinstance(asyncio.run(short()), Done)


def test_the_effect_is_named_in_the_metadata_and_credentials_go_there_too(folder):
    bearer = {"scheme": "bearer", "token": "abc", "username": None, "password": None}
    _, orders = call(folder, authentication=bearer)
    assert orders.metadata[0]["idempotency-key"] == KEY
    assert orders.metadata[0]["authorization"] == "Bearer abc"


def test_digest_is_refused_before_anything_is_sent(folder):
    digest = {"scheme": "digest", "username": "a", "password": "b", "token": None}
    outcome, orders = call(folder, authentication=digest)
    assert outcome.fault.type == VALIDATION
    assert orders.seen == []


def test_secrets_are_revealed_for_the_server_and_taken_out_of_what_comes_back(folder):
    outcome, orders = call(
        folder, "Place", {"name": secret("token")}, credentials=credentials_of(token="s3cret-token")
    )
    assert orders.seen[0]["name"] == "s3cret-token"
    assert outcome.output["text"] == "(secret token) placed"


@pytest.mark.parametrize(
    ("code", "status", "doubtful"),
    [
        ("INVALID_ARGUMENT", 400, False),
        ("UNAUTHENTICATED", 401, False),
        ("PERMISSION_DENIED", 403, False),
        ("NOT_FOUND", 404, False),
        ("ALREADY_EXISTS", 409, False),
        ("RESOURCE_EXHAUSTED", 429, False),
        ("UNIMPLEMENTED", 501, False),
        ("UNAVAILABLE", 503, True),
        ("DEADLINE_EXCEEDED", 408, True),
        ("UNKNOWN", 500, True),
        ("INTERNAL", 500, True),
    ],
)
def test_a_status_is_a_communication_error_with_the_http_status_for_it(folder, code, status, doubtful):
    outcome, _ = call(folder, orders=Orders(code))
    assert (outcome.fault.type, outcome.fault.status, outcome.fault.title) == (COMMUNICATION, status, code)
    assert "sold out" in outcome.fault.detail
    assert outcome.fault.doubtful == doubtful


def test_a_stream_that_fails_in_the_middle_fails_the_call(folder):
    outcome, _ = call(folder, "Watch", orders=Orders("ABORTED"))
    assert outcome.fault.title == "ABORTED"


def test_a_status_of_a_method_without_side_effects_leaves_no_doubt(folder):
    assert not call(folder, "Look", orders=Orders("UNAVAILABLE"))[0].fault.doubtful


def test_a_defect_of_the_server_and_rubbish_are_communication_errors(folder):
    assert call(folder, orders=Orders("raises"))[0].fault.title == "UNKNOWN"
    rubbish = Rubbish("rubbish")
    outcome, _ = call(folder, orders=rubbish)
    assert outcome.fault.type == COMMUNICATION
    assert "shop.Receipt" in outcome.fault.detail


def test_a_server_that_never_answers_ends_at_the_deadline(folder):
    outcome, _ = call(folder, orders=Orders("silent"), timeout=1)
    assert (outcome.fault.status, outcome.fault.doubtful) == (408, True)


def test_a_call_that_is_stopped_is_stopped_at_once(folder):
    async def stopped():
        orders = Orders("silent")
        async with served(orders) as port:
            performer = GrpcPerformer(client_of(f"127.0.0.1:{port}"), credentials_of(), within(folder))
            task = asyncio.ensure_future(performer.perform(order_of(request_of(port), function="grpc")))
            async with asyncio.timeout(60):
                await orders.asked.wait()
            task.cancel()
            await asyncio.wait([task])
            return task.cancelled()

    assert asyncio.run(stopped())


def test_nobody_there_leaves_no_doubt(folder):
    async def nobody():
        async with served(Orders()) as port:
            pass
        performer = GrpcPerformer(client_of(f"127.0.0.1:{port}"), credentials_of(), within(folder))
        return await performer.perform(order_of(request_of(port), function="grpc"))

    outcome = asyncio.run(nobody())
    assert outcome.fault.type == COMMUNICATION
    assert not outcome.fault.doubtful


def test_a_server_of_another_protocol_is_no_server(folder):
    async def web():
        async with serving(lambda seen: response(200, {})) as server:
            performer = GrpcPerformer(client_of(server.host), credentials_of(), within(folder))
            return await performer.perform(order_of(request_of(server.port, timeout=2), function="grpc"))

    assert asyncio.run(web()).fault.type == COMMUNICATION


def test_a_host_that_is_not_declared_is_refused(folder):
    outcome, orders = call(folder, hosts=())
    assert outcome.fault.type == AUTHORIZATION
    assert orders.seen == []


def test_a_proto_file_may_be_fetched_with_its_imports(tmp_path):
    async def fetched():
        async def reply(seen):
            text = TEXTS.get(seen.target.removeprefix("/protos/"))
            return response(404) if text is None else response(200, text.encode(), content_type="text/plain")

        async with serving(reply) as web, served(Orders()) as port:
            performer = GrpcPerformer(client_of("127.0.0.1"), credentials_of(), within(tmp_path))
            proto = {"endpoint": f"{web.url}/protos/shop.proto", "authentication": None}
            outcome = await performer.perform(order_of({**request_of(port), "proto": proto}, function="grpc"))
            return outcome, web

    outcome, web = asyncio.run(fetched())
    assert isinstance(outcome, Done), outcome
    assert [seen.target for seen in web.seen] == ["/protos/shop.proto", "/protos/kinds/money.proto"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("syntax = 'proto3'; message {", "cannot be compiled"),
        ("syntax = 'proto3'; import 'gone.proto';", "gone.proto"),
        ("syntax = 'proto3'; import '../../etc/passwd';", "not the name of a file"),
        ("syntax = 'proto3'; import 'google/protobuf/nothing.proto';", "cannot be compiled"),
        ("syntax = 'proto3';", "no service"),
        ("\x00\xff", "cannot be compiled"),
    ],
)
def test_a_proto_file_that_is_none_is_a_configuration_error_without_doubt(tmp_path, text, words):
    (tmp_path / "protos").mkdir()
    (tmp_path / "protos" / "shop.proto").write_text(text)
    performer = GrpcPerformer(client_of(), credentials_of(), within(tmp_path))
    outcome = asyncio.run(performer.perform(order_of(request_of(1), function="grpc")))
    assert outcome.fault.type == CONFIGURATION
    assert words in outcome.fault.detail
    assert str(tmp_path) not in outcome.fault.detail
    assert not outcome.fault.doubtful


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": "Pay"}, "no method `Pay`"),
        ({"arguments": {"nmae": "x"}}, "nmae"),
        ({"arguments": {"amount": "many"}}, "shop.Order"),
        ({"arguments": [{"name": "x"}]}, "one message"),
        ({"arguments": "x"}, "`arguments`"),
        ({"service": {"name": "shop.Orders", "host": "127.0.0.1", "port": 0}}, "`service.port`"),
        ({"service": {"name": "shop.Orders", "host": ""}}, "`host`"),
        ({"timeout": -1}, "`timeout`"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_before_anything_is_sent(folder, change, words):
    outcome, orders = call(folder, **change)
    assert isinstance(outcome, Broken)
    assert words in outcome.fault.detail
    assert orders.seen == []


# After a crash.


def test_in_doubt_a_method_is_held_unless_its_proto_file_says_that_it_may_be_repeated(folder):
    outcome, orders = call(folder, order={"doubtful": True})
    assert isinstance(outcome, Doubt)
    assert outcome.evidence["key"] == KEY
    assert orders.seen == []
    assert isinstance(call(folder, "Look", order={"doubtful": True})[0], Done)


def test_in_doubt_the_author_may_have_it_repeated_or_passed_over(folder):
    assert isinstance(call(folder, order={"doubtful": True, "on_doubt": OnDoubt.REPEAT})[0], Done)
    assert call(folder, order={"doubtful": True, "on_doubt": OnDoubt.SKIP})[0] == Done(None)
