"""The provider `leaker`: it says every secret that it knows wherever a provider can say something.

`LEAKER_FOLDER` holds a file `mode`, and the objects. What it makes has a secret of its own making, `made`,
and what it opens has one, `password`, which its schema calls an ordinary text.
Some modes are not about secrets: a provider that floods us, or sends what is too large.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from dirigent.model.values import Unknown
from dirigent.providers.tofu.schema.shape import Attribute, Block, implied
from dirigent.providers.tofu.values.coding import decode, encode
from dirigent.providers.tofu.values.types import NUMBER, STRING
from dirigent.providers.tofu.wire import calls
from providers.zoo.keeper import block_message, nothing, serve

FOLDER = Path(os.environ.get("LEAKER_FOLDER", "."))
MADE = "canary-made-by-the-provider"
OPENED = "canary-opened-for-a-while"
SETTINGS = Block({"token": Attribute("token", STRING, optional=True, sensitive=True)})
THING = Block(
    {
        "id": Attribute("id", STRING, computed=True),
        "name": Attribute("name", STRING, required=True),
        "size": Attribute("size", NUMBER, optional=True),
        "key": Attribute("key", STRING, optional=True, sensitive=True),
        "open": Attribute("open", STRING, optional=True),
        "made": Attribute("made", STRING, computed=True, sensitive=True),
        "note": Attribute("note", STRING, computed=True),
        "once": Attribute("once", STRING, optional=True, write_only=True),
    }
)
# The same, by another author, who keeps nothing secret.
COPY = Block({name: replace(each, sensitive=False) for name, each in THING.attributes.items()})
LOGIN = Block(
    {
        "user": Attribute("user", STRING, required=True),
        "password": Attribute("password", STRING, computed=True),
    }
)
KIND = implied(THING)
KNOWN = set()
SECRET = ("key", "open", "made", "once")


def mode():
    return (FOLDER / "mode").read_text()


def all_of_it():
    return " and ".join(sorted(KNOWN))


def schema(_version, answer):
    block_message(SETTINGS, answer.provider.block)
    block_message(THING, answer.resource_schemas["leaker_thing"].block)
    block_message(COPY, answer.resource_schemas["leaker_copy"].block)
    answer.server_capabilities.move_resource_state = True
    block_message(LOGIN, answer.ephemeral_resource_schemas["leaker_login"].block)


def open_login(request, answer):
    config = decode(request.config.msgpack, implied(LOGIN))
    KNOWN.update((config["user"], OPENED))
    answer.private = all_of_it().encode()
    answer.diagnostics.add(severity=1 if mode() == "shuts" else 2, summary=f"opened with {all_of_it()}")
    answer.result.msgpack = encode({**config, "password": OPENED}, implied(LOGIN))


def check_login(request, answer):
    KNOWN.add(decode(request.config.msgpack, implied(LOGIN))["user"])
    answer.diagnostics.add(severity=2, summary=f"I know {all_of_it()}")


def close_login(_request, answer):
    sys.stderr.write(f"{all_of_it()}\n")
    answer.diagnostics.add(severity=1, summary=f"it does not close: {all_of_it()}")


def configure(request, answer):
    token = decode(request.config.msgpack, implied(SETTINGS))["token"]
    KNOWN.add(token)
    if mode() == "refuses":
        answer.diagnostics.add(severity=1, summary="I do not like", detail=all_of_it())


def learn(config):
    KNOWN.update(config[name] for name in SECRET if isinstance(config.get(name), str))


def validate(request, answer):
    learn(decode(request.config.msgpack, KIND))
    if mode() == "warns":
        answer.diagnostics.add(severity=2, summary=f"I know {all_of_it()}")


def upgrade(request, answer):
    answer.upgraded_state.json = request.raw_state.json


def read(request, answer):
    answer.new_state.msgpack = request.current_state.msgpack
    answer.private = request.private


def plan(request, answer):
    prior = decode(request.prior_state.msgpack, KIND)
    planned = decode(request.proposed_new_state.msgpack, KIND)
    learn(planned)
    planned["once"] = planned["once"] if mode() == "keeps" else None
    learn(prior or {"key": None, "open": None, "made": None})
    if prior is None:
        planned |= {"id": Unknown(), "made": Unknown(), "note": Unknown()}
    if mode() == "lies":
        planned["key"] = all_of_it()
    answer.planned_private = all_of_it().encode()
    answer.planned_state.msgpack = encode(planned, KIND)


def apply(request, answer):
    sys.stderr.write(f"{all_of_it()}\n")
    sys.stderr.flush()
    planned = decode(request.planned_state.msgpack, KIND)
    learn(decode(request.config.msgpack, KIND) or {})
    KNOWN.add(MADE)
    answer.private = all_of_it().encode()
    match mode():
        case "says":
            answer.diagnostics.add(severity=1, summary="it went wrong", detail=all_of_it())
        case "panics":
            sys.stderr.write(f"panic: I know {all_of_it()}\n\ngoroutine 1 [running]:\n")
            sys.stderr.flush()
            os._exit(2)
        case "huge":
            planned["note"] = "x" * 300_000_000
        case "floods":
            for _ in range(2_000):
                sys.stderr.write("flood " * 10_000)
    if planned is not None:
        planned |= {"id": f"id of {planned['name']}", "made": MADE}
        planned["note"] = planned["note"] if isinstance(planned["note"], str) else f"it is {planned['key']}"
    answer.new_state.msgpack = encode(planned, KIND)


def known_of(state):
    """Return a state of which a provider tells more than it should."""
    learn(state)
    return {**state, "note": f"it has {all_of_it()}"}


def move(request, answer):
    answer.target_state.msgpack = encode(known_of(json.loads(request.source_state.json)), KIND)
    answer.target_private = all_of_it().encode()
    answer.diagnostics.add(severity=2, summary=f"moved with {all_of_it()}")


def find(request, answer):
    """Every object exists that is asked for."""
    KNOWN.add(MADE)
    state = dict.fromkeys(KIND.members) | {"id": request.id, "name": request.id[6:], "size": 1, "made": MADE}
    found = answer.imported_resources.add(type_name=request.type_name)
    found.state.msgpack = encode(known_of(state), KIND)
    found.private = all_of_it().encode()
    answer.diagnostics.add(severity=2, summary=f"found {all_of_it()}")


ANSWERS = {
    calls.SCHEMA: schema,
    calls.VALIDATE_PROVIDER: nothing,
    calls.CONFIGURE: configure,
    calls.VALIDATE: validate,
    calls.UPGRADE: upgrade,
    calls.READ: read,
    calls.PLAN: plan,
    calls.APPLY: apply,
    calls.STOP: nothing,
    calls.MOVE: move,
    calls.IMPORT: find,
    calls.VALIDATE_EPHEMERAL: check_login,
    calls.OPEN: open_login,
    calls.CLOSE: close_login,
}

if __name__ == "__main__":
    serve(ANSWERS, f"{os.environ['TMPDIR']}/leaker.sock", 6)
