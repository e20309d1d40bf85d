"""The provider `zoo`: its objects are only in the states of those who ask. Deterministic, on purpose.

    python -m providers.zoo.keeper              started by a host
    python -m providers.zoo.keeper SOCKET       started by hand, for a host that is told where it is

It serves version 6 with the types `zoo_`, and version 5 with the types `old_`; `ZOO_VERSION` says which
of them is announced. `ZOO_DRIFT` names a file of what has changed outside, `{id: {attribute: value} or
null}`. While there is no such file, an object whose name begins with
`half` is made half-way only, with an error.
"""

import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from dirigent.providers.tofu.schema.shape import implied
from dirigent.providers.tofu.values.coding import decode, encode
from dirigent.providers.tofu.values.conversion import converted
from dirigent.providers.tofu.values.stored import restored
from dirigent.providers.tofu.values.types import write_type
from dirigent.providers.tofu.wire import calls
from dirigent.providers.tofu.wire.messages import messages
from providers.zoo.acting import made, planned
from providers.zoo.kinds import SPECIES, Key

PREFIXES = {5: "old_", 6: "zoo_"}
KINDS = {name: implied(each.block) for name, each in SPECIES.items()}
DRIFT = os.environ.get("ZOO_DRIFT", "")


def attribute_message(each, into):
    marks = {"required": each.required, "optional": each.optional, "computed": each.computed}
    marks["write_only"] = each.write_only
    for name, value in {"name": each.name, "sensitive": each.sensitive, **marks}.items():
        setattr(into, name, value)
    if each.nested is None:
        into.type = write_type(each.type).encode()
        return
    into.nested_type.nesting = each.nested.nesting
    for inner in each.nested.attributes.values():
        attribute_message(inner, into.nested_type.attributes.add())


def block_message(block, into):
    for each in block.attributes.values():
        attribute_message(each, into.attributes.add())
    for each in block.blocks.values():
        nested = into.block_types.add(type_name=each.name, nesting=each.nesting)
        block_message(each.block, nested.block)


def schema(version, answer):
    answer.provider.block.version = 0
    for name, each in SPECIES.items():
        if name.startswith(PREFIXES[version]):
            block_message(each.block, answer.resource_schemas[name].block)


def upgrade(request, answer):
    kind = KINDS[request.type_name]
    answer.upgraded_state.msgpack = encode(restored(json.loads(request.raw_state.json), kind), kind)


def read(request, answer):
    kind = KINDS[request.type_name]
    state = decode(request.current_state.msgpack, kind)
    drift = json.loads(Path(DRIFT).read_text()) if DRIFT and Path(DRIFT).exists() else {}
    changed = drift.get(state["id"], {})
    found = None if changed is None else converted({**state, **changed}, kind)
    answer.new_state.msgpack = encode(found, kind)
    answer.private = request.private


def plan(request, answer):
    species, kind = SPECIES[request.type_name], KINDS[request.type_name]
    prior = decode(request.prior_state.msgpack, kind)
    found = planned(species, prior, decode(request.proposed_new_state.msgpack, kind))
    answer.planned_state.msgpack = encode(found, kind)
    answer.planned_private = b"planned"
    answer.legacy_type_system = species.old
    for path in species.forces:
        if not (stands_at(prior, path) or stands_at(found, path)):
            continue
        steps = answer.requires_replace.add().steps
        for part in path:
            steps.add(**step_of(part))


def stands_at(value, path):
    """Return whether there is something at a path: to name another is held to be a fault."""
    for part in path:
        match value, part:
            case dict(), str() if part in value:
                value = value[part]
            case dict(), Key(key) if key in value:
                value = value[key]
            case list(), int() if part < len(value):
                value = value[part]
            case _:
                return False
    return True


def step_of(part):
    match part:
        case int():
            return {"element_key_int": part}
        case Key(key):
            return {"element_key_string": key}
        case _:
            return {"attribute_name": part}


def apply(request, answer):
    species, kind = SPECIES[request.type_name], KINDS[request.type_name]
    prior = decode(request.prior_state.msgpack, kind)
    state = decode(request.planned_state.msgpack, kind)
    found = None if state is None else made(species, kind, prior, state)
    answer.new_state.msgpack = encode(found, kind)
    answer.private = b"private"
    answer.legacy_type_system = species.old
    if found is not None and prior is None and found["name"].startswith("half") and not Path(DRIFT).exists():
        answer.diagnostics.add(severity=1, summary="it broke half-way")


def nothing(_request, _answer):
    return


ANSWERS = {
    calls.SCHEMA: schema,
    calls.VALIDATE_PROVIDER: nothing,
    calls.CONFIGURE: nothing,
    calls.VALIDATE: nothing,
    calls.UPGRADE: upgrade,
    calls.READ: read,
    calls.PLAN: plan,
    calls.APPLY: apply,
    calls.STOP: nothing,
}


class Keeper(grpc.GenericRpcHandler):
    """Answers the calls that it knows."""

    def __init__(self, gone, answers):
        self.gone = gone
        self.methods = {
            method.path(version): (method, act, version)
            for method, act in answers.items()
            for version in PREFIXES
        }

    def service(self, details):
        if details.method == calls.SHUTDOWN_PATH:
            return grpc.unary_unary_rpc_method_handler(lambda _request, _context: self.gone.set() or b"")
        if details.method not in self.methods:
            return None
        method, act, version = self.methods[details.method]
        classes = messages(version)

        def answered(request, _context):
            answer = classes[method.response]()
            act(version if method is calls.SCHEMA else request, answer)
            return answer

        return grpc.unary_unary_rpc_method_handler(
            answered,
            request_deserializer=classes[method.request].FromString,
            response_serializer=lambda answer: answer.SerializeToString(),
        )


def serve(answers, address, version):
    """Serve until the host wants no more."""
    gone = threading.Event()
    server = grpc.server(ThreadPoolExecutor(8), handlers=(Keeper(gone, answers),))
    server.add_insecure_port(f"unix:{address}")
    server.start()
    print(f"1|{version}|unix|{address}|grpc|", flush=True)
    gone.wait()
    server.stop(0)


def main():
    by_hand = sys.argv[1:]
    address = by_hand[0] if by_hand else f"{os.environ['TMPDIR']}/zoo.sock"
    serve(ANSWERS, address, os.environ.get("ZOO_VERSION", "6"))


if __name__ == "__main__":
    main()
