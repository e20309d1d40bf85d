"""A provider of our own that misbehaves on command: `FIXTURE_MODE` says how.

Its objects lie in `FIXTURE_WORLD`. It speaks version 6, or `FIXTURE_VERSION`, over a Unix socket.
"""

import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from dirigent.model.values import Unknown
from dirigent.providers.tofu.schema.shape import Attribute, Block, NestedBlock, Nesting, implied
from dirigent.providers.tofu.values.coding import decode, encode
from dirigent.providers.tofu.values.types import (
    DYNAMIC,
    NUMBER,
    STRING,
    Collection,
    Kind,
    Structure,
    write_type,
)
from dirigent.providers.tofu.wire import calls
from dirigent.providers.tofu.wire.messages import messages

MODE = os.environ.get("FIXTURE_MODE", "")
WORLD = Path(os.environ.get("FIXTURE_WORLD", "."))
VERSION = int(os.environ.get("FIXTURE_VERSION", "6"))
CLASSES = messages(6 if VERSION not in {5, 6} else VERSION)
SETTINGS = Block(
    {
        "region": Attribute("region", STRING, optional=True),
        "token": Attribute("token", STRING, optional=True, sensitive=True),
    }
)
LOGIN = Block(
    {
        "user": Attribute("user", STRING, required=True),
        "key": Attribute("key", STRING, optional=True, sensitive=True),
        "renew_after": Attribute("renew_after", NUMBER, optional=True),
        "password": Attribute("password", STRING, computed=True),
        "ports": Attribute("ports", Collection(Kind.LIST, NUMBER), computed=True),
        "nothing": Attribute("nothing", STRING, computed=True),
    }
)
THING = Block(
    {
        "id": Attribute("id", STRING, computed=True),
        "name": Attribute("name", STRING, required=True),
        "size": Attribute("size", NUMBER, optional=True),
        "tags": Attribute("tags", Collection(Kind.MAP, STRING), optional=True),
        "note": Attribute("note", STRING, optional=True, computed=True),
        "once": Attribute("once", STRING, optional=True, write_only=True),
        "key": Attribute("key", STRING, optional=True, sensitive=True),
    },
    {
        "port": NestedBlock(
            "port",
            Block(
                {
                    "number": Attribute("number", NUMBER, required=True),
                    "url": Attribute("url", STRING, computed=True),
                }
            ),
            Nesting.LIST,
        )
    },
)
KIND = implied(THING)
IDENTITY = Structure({"name": STRING, "place": STRING})
SEARCH = Block({"prefix": Attribute("prefix", STRING, optional=True)})


def thing(name):
    return WORLD / f"{name}.json"


def block_message(block, into):
    for each in block.attributes.values():
        into.attributes.add(
            name=each.name,
            type=write_type(each.type).encode(),
            required=each.required,
            optional=each.optional,
            computed=each.computed,
            write_only=each.write_only,
            sensitive=each.sensitive,
        )
    for each in block.blocks.values():
        block_message(each.block, into.block_types.add(type_name=each.name, nesting=each.nesting).block)


def schema(_request, answer):
    block_message(SETTINGS, answer.provider.block)
    answer.resource_schemas["fixture_thing"].version = 2
    block_message(THING, answer.resource_schemas["fixture_thing"].block)
    if "lists" in MODE:
        block_message(SEARCH, answer.list_resource_schemas["fixture_thing"].block)
    if "moves" in MODE:
        # Its objects are kept as those of the other type are.
        answer.resource_schemas["fixture_item"].version = 3
        block_message(THING, answer.resource_schemas["fixture_item"].block)
        answer.server_capabilities.move_resource_state = "cannot" not in MODE
    if MODE == "odd type":
        answer.resource_schemas["fixture_thing"].block.attributes.add(name="odd", type=b'["heap"]')

    block_message(LOGIN, answer.ephemeral_resource_schemas["fixture_login"].block)
    tell_functions(answer.functions, ("join", "same"))


def tell_functions(into, names):
    for name in names:
        told = into[name]
        getattr(told, "return").type = write_type(STRING if name != "same" else DYNAMIC).encode()
        if name == "same":
            told.parameters.add(
                name="value", type=b'"dynamic"', allow_null_value=True, allow_unknown_values=True
            )
            continue
        told.parameters.add(name="between", type=b'"string"')
        told.variadic_parameter.name = "parts"
        told.variadic_parameter.type = b'"string"'
        told.deprecation_message = "join by hand" if name == "late" else ""


def functions(_request, answer):
    tell_functions(answer.functions, ("late",))


def call(request, answer):
    if request.name == "same":
        answer.result.msgpack = request.arguments[0].msgpack
        return
    between, *parts = (decode(each.msgpack, STRING) for each in request.arguments)
    if "" in parts:
        answer.error.text = f"an empty part beside {parts}"
        answer.error.function_argument = 1 + parts.index("")
        return
    if between == "!":
        answer.error.text = "no shouting"
        return
    answer.result.msgpack = encode(between.join(parts), STRING)


def note(*words):
    """Say in a file what was asked: only the test reads it."""
    with WORLD.with_name(f"{WORLD.name}.asked").open("a") as file:
        file.write(f"{' '.join(words)}\n")


def check_login(request, answer):
    if decode(request.config.msgpack, implied(LOGIN))["user"] == "root":
        complain(answer, "not as root", path=("user",))


def open_login(request, answer):
    config = decode(request.config.msgpack, implied(LOGIN))
    number = len(list(WORLD.glob("login-*"))) + 1
    (WORLD / f"login-{number}").touch()
    note("open", config["user"], str(config["key"]))
    if MODE == "does not open":
        complain(answer, f"the door is shut for {config['key']}")
    opened = {**config, "password": f"opened-for-{config['user']}-{number}", "ports": [number, 2]}
    answer.result.msgpack = encode(opened, implied(LOGIN))
    answer.private = f"{config['user']}:{number}".encode()
    if config["renew_after"] is not None:
        # The clock of the tests stands at a million.
        answer.renew_at.seconds = 1_000_000 + config["renew_after"]


def renew_login(request, answer):
    note("renew", request.private.decode())
    if MODE == "does not renew":
        complain(answer, "not again")
    answer.private = request.private + b"+"


def close_login(request, answer):
    note("close", request.private.decode())
    if MODE == "does not close":
        complain(answer, "the door is stuck")


def complain(answer, summary, detail="", path=(), severity=1):
    said = answer.diagnostics.add(severity=severity, summary=summary, detail=detail)
    for part in path:
        key = "attribute_name" if isinstance(part, str) else "element_key_int"
        said.attribute.steps.add(**{key: part})


def configure(request, answer):
    settings = decode(request.config.msgpack, implied(SETTINGS))
    if settings["token"]:
        note("configured", settings["token"])
    if settings["region"] == "moon":
        complain(answer, "no such region", "there is nothing on the moon", ("region",))


def validate(request, answer):
    config = decode(request.config.msgpack, KIND)
    if config["size"] == 13:
        complain(answer, "bad luck", "13 is not a size", ("size",))
    if config["size"] == 99:
        complain(answer, "that is large", severity=2)


def upgrade(request, answer):
    state = json.loads(request.raw_state.json)
    if request.version < 2:
        state["note"] = state.pop("remark")
    answer.upgraded_state.msgpack = encode(state, KIND)


def read(request, answer):
    state = decode(request.current_state.msgpack, KIND)
    place = thing(state["name"])
    found = json.loads(place.read_text()) if place.exists() else None
    answer.new_state.msgpack = encode(found, KIND)
    answer.private = request.private
    identify(answer.new_identity, found)


def identities(_request, answer):
    if not MODE.endswith("identified"):
        return
    for name in ("fixture_thing", *(["fixture_item"] if "moves" in MODE else [])):
        told = answer.identity_schemas[name]
        told.version = 1
        told.identity_attributes.add(name="name", type=b'"string"', required_for_import=True)
        told.identity_attributes.add(name="place", type=b'"string"', optional_for_import=True)


def identify(into, state):
    if MODE.endswith("identified") and state is not None:
        into.identity_data.msgpack = encode({"name": state["name"], "place": "here"}, IDENTITY)


def plan(request, answer):
    prior = decode(request.prior_state.msgpack, KIND)
    planned = decode(request.proposed_new_state.msgpack, KIND)
    planned["once"] = None
    answer.planned_private = b"planned"
    answer.requires_replace.add().steps.add(attribute_name="name")
    if prior is None:
        planned["id"] = Unknown()
    for port in planned["port"]:
        port["url"] = Unknown() if port["url"] is None else port["url"]
    if planned["note"] is None:
        planned["note"] = Unknown()
    if MODE == "keeps once":
        planned["once"] = decode(request.config.msgpack, KIND)["once"]
    if MODE == "wrong plan":
        planned["size"] = 77
    if MODE == "garbage":
        answer.planned_state.msgpack = b"\x81\xa1x\x01"
        return
    answer.planned_state.msgpack = encode(planned, KIND)
    if "lists" not in MODE:
        identify(answer.planned_identity, planned)


def apply(request, answer):
    config = sent(request)
    prior = decode(request.prior_state.msgpack, KIND)
    planned = decode(request.planned_state.msgpack, KIND)
    if MODE == "die before":
        die()
    if MODE == "slow":
        (WORLD / "begun").touch()
        while not (WORLD / "go").exists():
            time.sleep(0.01)
    if planned is None:
        thing(prior["name"]).unlink(missing_ok=True)
        answer.new_state.msgpack = encode(None, KIND)
        return
    made = completed(planned, prior)
    thing(made["name"]).write_text(json.dumps(made))
    if MODE.startswith("die after"):
        die()
    if MODE == "wrong apply":
        made["size"] = 78
    if MODE == "lets once stand":
        made["once"] = config["once"]
    if MODE == "leaves unknown":
        made["note"] = Unknown()
    answer.private = b"kept"
    answer.new_state.msgpack = encode(made, KIND)
    identify(answer.new_identity, made)
    if MODE == "half":
        complain(answer, "it broke half-way")


def completed(planned, prior):
    made = {**planned, "id": prior["id"] if prior else f"id-{planned['name']}"}
    made["note"] = made["note"] if isinstance(made["note"], str) else "made"
    for port in made["port"]:
        port["url"] = f"http://{made['name']}:{port['number']}"
    return made


def sent(request):
    config = decode(request.config.msgpack, KIND)
    if config is not None and config["once"]:
        note("once", config["once"])
    return config


def die():
    sys.stderr.write(
        '{"@level":"info","@message":"at work"}\npanic: everything is on fire\n\ngoroutine 1 [running]:\n'
    )
    sys.stderr.flush()
    os._exit(2)


def find(request, answer):
    identity = (
        decode(request.identity.identity_data.msgpack, IDENTITY) if request.identity.ByteSize() else None
    )
    place = thing(identity["name"] if identity else request.id)
    if place.exists():
        state = answer.imported_resources.add(type_name="fixture_thing")
        state.state.msgpack = encode(json.loads(place.read_text()), KIND)


def move(request, answer):
    """Take a thing as an item, whatever release of it wrote that, and what another provider calls a page."""
    note(
        "move", request.source_provider_address, request.source_type_name, str(request.source_schema_version)
    )
    note("with", request.source_private.decode(), request.source_identity.json.decode())
    state = json.loads(request.source_state.json)
    if request.source_type_name == "other_page":
        state = dict.fromkeys(KIND.members) | {"name": state["title"], "note": state["text"], "port": []}
    elif request.source_type_name != "fixture_thing":
        complain(answer, "not from there", f"a {request.source_type_name} with {state.get('key')} is no item")
        return
    if "moves, mute" in MODE:
        return
    if "moves, unknown" in MODE:
        state["note"] = Unknown()
    answer.target_state.msgpack = encode(state, KIND)
    answer.target_private = b"moved"
    identify(answer.target_identity, state)


def check_search(request, answer):
    if decode(request.config.msgpack, implied(SEARCH))["prefix"] == "?":
        complain(answer, "no such prefix", path=("prefix",))


def search(request):
    """List the objects whose name has a prefix; yield what is put into each answer."""
    if "lists badly" in MODE:
        yield lambda answer: answer.diagnostic.add(severity=1, summary="the list is lost")
    while "lists for ever" in MODE:
        yield lambda answer: tell(answer, {"name": "again"}, whole=False)
    while "lists nothing for ever" in MODE:
        yield lambda answer: None
    prefix = decode(request.config.msgpack, implied(SEARCH))["prefix"] or ""
    for place in sorted(WORLD.glob(f"{prefix}*.json")):
        found = json.loads(place.read_text())
        yield lambda answer, found=found: tell(answer, found, whole=request.include_resource_object)
    if "lists, dies" in MODE:
        die()


def tell(answer, found, *, whole):
    answer.display_name = f"thing {found['name']}"
    identify(answer.identity, found)
    if "lists garbage" in MODE:
        answer.identity.identity_data.msgpack = b"\x81\xa1x\x01"
    if whole:
        answer.resource_object.msgpack = encode(found, KIND)


ANSWERS = {
    calls.VALIDATE_LIST: check_search,
    calls.SCHEMA: schema,
    calls.VALIDATE_PROVIDER: lambda _request, _answer: None,
    calls.CONFIGURE: configure,
    calls.VALIDATE: validate,
    calls.UPGRADE: upgrade,
    calls.READ: read,
    calls.PLAN: plan,
    calls.APPLY: apply,
    calls.IDENTITIES: identities,
    calls.IMPORT: find,
    calls.FUNCTIONS: functions,
    calls.CALL: call,
    calls.VALIDATE_EPHEMERAL: check_login,
    calls.OPEN: open_login,
    calls.RENEW: renew_login,
    calls.CLOSE: close_login,
    calls.LIST: None,
    calls.MOVE: move,
}


class Server(grpc.GenericRpcHandler):
    """Answers the calls that it knows."""

    def __init__(self, gone):
        self.gone = gone
        self.methods = {method.path(VERSION): (method, act) for method, act in ANSWERS.items()}

    def service(self, details):
        if details.method == calls.SHUTDOWN_PATH:
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: self.gone.set() or b"")
        if details.method not in self.methods:
            return None
        method, act = self.methods[details.method]

        def answered(request, _context):
            if MODE.startswith(f"hang in {method.name}"):
                time.sleep(3600)
            answer = CLASSES[method.response]()
            act(request, answer)
            return answer

        def streamed(request, _context):
            for put in search(request):
                answer = CLASSES[method.response]()
                put(answer)
                yield answer

        made = grpc.unary_stream_rpc_method_handler if method.streams else grpc.unary_unary_rpc_method_handler
        return made(
            streamed if method.streams else answered,
            request_deserializer=CLASSES[method.request].FromString,
            response_serializer=lambda answer: answer.SerializeToString(),
        )


def main():
    if os.environ.get("TF_PLUGIN_MAGIC_COOKIE", "")[:8] != "d602bf8f":
        sys.exit("this is a plug-in, to be started by its host")
    if MODE == "ends at once":
        sys.exit("no licence")
    if MODE == "says rubbish":
        print("Welcome!", flush=True)
    if MODE == "says nothing":
        time.sleep(3600)
    gone = threading.Event()
    server = grpc.server(ThreadPoolExecutor(8), handlers=(Server(gone),))
    address = f"{os.environ['TMPDIR']}/fixture.sock"
    server.add_insecure_port(f"unix:{address}")
    server.start()
    where = f"{address}.not" if MODE == "listens elsewhere" else address
    print(f"1|{VERSION}|unix|{where}|grpc|", flush=True)
    if MODE == "talks":
        sys.stdout.write("noise " * 1_000_000)
        sys.stderr.write("noise " * 1_000_000)
    gone.wait()
    server.stop(0)


if __name__ == "__main__":
    main()
