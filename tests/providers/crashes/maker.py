"""The provider `maker`: each of its objects is a file, whose path is its id. It dies on command.

A deed is a line that is added to the file by one call of the system: a file that was made twice says so.

Its type `maker_page` is the same, under another name: it takes over what was a `maker_file`.

`MAKER_FOLDER` holds the files under `made`, a ledger of what was done, a file of each call's count, the
id of the process, and in `death` a place to die at, once: `ApplyResourceChange 3 after`.
"""

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from dirigent.providers.tofu.schema.shape import Attribute, Block, implied
from dirigent.providers.tofu.values.coding import decode, encode
from dirigent.providers.tofu.values.types import STRING
from dirigent.providers.tofu.wire import calls
from providers.zoo.keeper import block_message, nothing, serve

FOLDER = Path(os.environ.get("MAKER_FOLDER", "."))
FILE = Block(
    {
        "id": Attribute("id", STRING, computed=True),
        "path": Attribute("path", STRING, required=True),
        "content": Attribute("content", STRING, optional=True),
    }
)
KIND = implied(FILE)
KINDS = ("maker_file", "maker_page")
# How long a deed takes.
SECONDS = float(os.environ.get("MAKER_SECONDS", "0"))


def noted(name, line):
    """Add a line to a file, whole and at once, and return how many there are."""
    with (FOLDER / name).open("ab", buffering=0) as file:
        file.write(f"{line}\n".encode())
    return len((FOLDER / name).read_bytes().splitlines())


def place(path):
    return FOLDER / "made" / path


def seen(path):
    with suppress(FileNotFoundError):
        return {"id": path, "path": path, "content": content_of(place(path))}
    return None


def content_of(file):
    return json.loads(file.read_text().splitlines()[-1].partition(" ")[2])


def schema(_version, answer):
    answer.provider.block.version = 0
    for name in KINDS:
        block_message(FILE, answer.resource_schemas[name].block)
    answer.server_capabilities.move_resource_state = True


def upgrade(request, answer):
    answer.upgraded_state.json = request.raw_state.json


def read(request, answer):
    state = decode(request.current_state.msgpack, KIND)
    answer.new_state.msgpack = encode(seen(state["path"]), KIND)


def plan(request, answer):
    found = decode(request.proposed_new_state.msgpack, KIND)
    found["id"] = found["path"]
    answer.planned_state.msgpack = encode(found, KIND)
    answer.requires_replace.add().steps.add(attribute_name="path")


def apply(request, answer):
    prior, state = (decode(each.msgpack, KIND) for each in (request.prior_state, request.planned_state))
    if state is None:
        place(prior["path"]).unlink(missing_ok=True)
        noted("ledger", f"delete {prior['path']}")
    else:
        deed = "update" if prior else "create"
        time.sleep(SECONDS)
        noted(f"made/{state['path']}", f"{deed} {json.dumps(state['content'])}")
        noted("ledger", f"{deed} {state['path']}")
    answer.new_state.msgpack = encode(state, KIND)


def find(request, answer):
    if found := seen(request.id):
        answer.imported_resources.add(type_name=request.type_name).state.msgpack = encode(found, KIND)


def move(request, answer):
    answer.target_state.msgpack = encode(json.loads(request.source_state.json), KIND)


def mortal(method, act):
    """Return an answer that may end with the death of its provider, before or after what it does."""

    def acted(request, answer):
        count = noted(f"calls-{method.name}", ".")
        reach(f"{method.name} {count} before")
        act(request, answer)
        reach(f"{method.name} {count} after")

    return acted


def reach(where):
    if (FOLDER / "death").exists() and (FOLDER / "death").read_text() == where:
        os.kill(os.getpid(), signal.SIGKILL)


ANSWERS = {
    calls.SCHEMA: schema,
    calls.VALIDATE_PROVIDER: nothing,
    calls.CONFIGURE: nothing,
    calls.VALIDATE: nothing,
    calls.UPGRADE: upgrade,
    calls.READ: read,
    calls.PLAN: plan,
    calls.APPLY: apply,
    calls.IMPORT: find,
    calls.MOVE: move,
    calls.STOP: nothing,
}

if __name__ == "__main__":
    (FOLDER / "pid").write_text(str(os.getpid()))
    mine = {method: mortal(method, act) for method, act in ANSWERS.items()}
    serve(mine, f"{os.environ['TMPDIR']}/maker.sock", 6)
