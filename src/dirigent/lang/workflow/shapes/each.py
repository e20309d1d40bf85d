"""The shape of `foreach`, of a listener and of a subscription."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import Field, Record
from dirigent.lang.workflow.shapes.atoms import TASKS, VARIABLE
from dirigent.lang.workflow.shapes.borders import EXPORT, OUTPUT

EACH: Final = Record(
    {
        "item": Field(VARIABLE),
        "at": Field(VARIABLE),
        "do": Field(TASKS),
        "output": Field(OUTPUT),
        "export": Field(EXPORT),
    },
    title="`foreach`",
)
