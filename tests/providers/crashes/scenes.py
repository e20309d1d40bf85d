"""What is killed: a first apply, a move between types, an import, and the way back.

A scene prepares what stands before, and knows the command to be killed and what must be so at the end.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from system.rig.shop import Differs


@dataclass(frozen=True)
class Scene:
    """What stands `before`, the `words` of the command, and the `content` and `kind` of all in the end.

    `creations` is how much is created from the beginning on, if nothing is created twice.
    """

    name: str
    before: Callable
    words: Callable
    content: str = "first"
    kind: str = "file"
    creations: int = 3

    def check(self, shop, where):
        """Raise `Differs` unless everything stands once, is known, and no more was created than is meant.

        A provider that dies between an object and its line in the ledger leaves a line too few.
        """
        shop.check(where, self.content, self.kind)
        created = [path for deed, path in shop.ledger() if deed == "create"]
        if len(created) > self.creations:
            raise Differs(f"creations in the ledger after {where}: {created}, {self.creations} were meant")


def nothing(_shop):
    return


def moved(shop):
    """Declare every file as a page with another content: each moves, and changes."""
    shop.until_done()
    entries = [f"  - {{from: f{at}, to: p{at}}}" for at in range(shop.count)]
    shop.write("second", kind="page", rows=["moved:", *entries])


def found_there(shop):
    """Let two objects stand that somebody else made, one of them with another content."""
    for at, content in enumerate(("first", "somebody's")):
        place = shop.folder / "world" / "made" / f"f{at}"
        place.write_text(f"create {json.dumps(content)}\n")
    shop.write("first", rows=["import:", "  - {to: f0, id: f0}", "  - {to: f1, id: f1}"])


def changed(shop):
    """Change everything, and replace one: that is what there is to go back from."""
    shop.until_done()
    shop.write("second", paths={shop.count - 1: "other"})
    shop.until_done()


def up(_shop):
    return ("up",)


def back(shop):
    """Go back to the first apply, however often that is said."""
    first = min(shop.runs(), key=lambda run: run.created_at)
    return ("rollback", "--to", first.id)


APPLY = Scene("apply", nothing, up)
MOVE = Scene("move", moved, up, "second", "page")
IMPORT = Scene("import", found_there, up, creations=1)
ROLLBACK = Scene("rollback", changed, back, creations=5)
CHANGES = (MOVE, IMPORT, ROLLBACK)
