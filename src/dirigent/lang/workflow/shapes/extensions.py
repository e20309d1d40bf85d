"""The shape of an extension: what is put before and after the tasks of one kind."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import Field, Record, Text
from dirigent.lang.workflow.shapes.atoms import BARE, TASKS

# `composite` are the tasks that only hold others: `do` and `fork`.
KINDS: Final = (
    *("call", "composite", "emit", "for", "listen", "raise", "run", "set", "switch", "try", "wait"),
    "all",
)

EXTENSION: Final = Record(
    {
        "extend": Field(Text(choices=KINDS), required=True, description="the kind of task that it extends"),
        "when": Field(BARE, description="it holds only where this is true"),
        "before": Field(TASKS),
        "after": Field(TASKS),
    },
    title="an extension",
)
