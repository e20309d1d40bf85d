"""The shell that every task shares; the shapes of the kinds of task are built with `task_shape`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.lang.shape import ByKind, Field, Record, Shape
from dirigent.lang.workflow.shapes.atoms import BARE, FREE, NAME, TIMEOUT
from dirigent.lang.workflow.shapes.borders import EXPORT, INPUT, OUTPUT

COMMON: Final[Mapping[str, Field]] = {
    "if": Field(BARE, description="the task is skipped unless this is true"),
    "input": Field(INPUT),
    "output": Field(OUTPUT),
    "export": Field(EXPORT),
    "timeout": Field(ByKind(text=NAME, map=TIMEOUT)),
    "then": Field(NAME, description="`continue`, `exit`, `end`, or a task of the same list"),
    "metadata": Field(FREE),
}


def task_shape(title: str, *optional: str, **fields: Shape) -> Record:
    """Return the shape of a kind of task: its own fields and the common ones.

    A field whose name is a word of Python is given with an underscore at its end.
    """
    own = {name.rstrip("_"): shape for name, shape in fields.items()}
    known = {name: Field(shape, required=name not in optional) for name, shape in own.items()}
    return Record({**known, **COMMON}, title=title)
