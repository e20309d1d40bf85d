"""Shapes of single values and of the few structures that stand everywhere: the letters of the tables."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import (
    AnyValue,
    ByKind,
    ExpressionText,
    Field,
    Lazy,
    MapOf,
    Record,
    Shape,
    Text,
    Whole,
)
from dirigent.lang.workflow import words
from dirigent.lang.workflow.words import Checked, Scalar
from dirigent.model.duration import UNITS

ANY: Final = AnyValue()
FREE: Final = MapOf(ANY)
BARE: Final = ExpressionText(bare=True, what="a jq expression")
NAME: Final = Text(what="text", min_length=1)
LABEL: Final = Text(
    pattern="[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
    what="text of 1 to 63 letters, digits and inner hyphens, such as `place-order`",
)
VARIABLE: Final = Text(pattern="[A-Za-z_][A-Za-z0-9_]*", what="text that can name a variable, such as `item`")
SEMVER: Final = Checked("E1205", "text such as `1.0.0`", words.semver_complaint)
COMPUTED: Final = ExpressionText(what="an expression such as `${ .name }`")
SCALARS: Final = ByKind(text=COMPUTED, map=MapOf(Scalar(), what="a mapping from names to text"))
COMPUTED_MAP: Final = ByKind(text=COMPUTED, map=FREE)

# Tasks hold tasks: these stand for what `shapes.kinds.DEFINITIONS` defines.
TASKS: Final = Lazy("tasks", what="a list of tasks")
TASK: Final = Lazy("task", what="a task")

DURATION: Final = ByKind(
    text=Checked("E1308", "an ISO 8601 duration such as `PT30S`", words.duration_complaint, computed=True),
    map=Record(
        {unit: Field(Whole(min=0)) for unit in UNITS},
        title="a duration",
        what="a mapping such as `{seconds: 30}`",
    ),
)
TIMEOUT: Final = Record({"after": Field(DURATION, required=True)}, title="a time-out")


def only(key: str, shape: Shape, title: str) -> Shape:
    """Return the shape of a mapping that has one key."""
    return Record({key: Field(shape)}, title=title)
