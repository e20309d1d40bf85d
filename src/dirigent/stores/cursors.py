"""How far a sink is, as a row of a store says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from dirigent.model.events.cursor import Cursor
from dirigent.stores import codec


def cursor_of(row: Sequence[object]) -> Cursor:
    """Return the cursor of a row: the sink's name, the two parts of its place, and what it wants."""
    _, transaction, number, content = row
    found = codec.decode(cast("bytes", content), Cursor)
    return replace(found, place=(cast("int", transaction), cast("int", number)))
