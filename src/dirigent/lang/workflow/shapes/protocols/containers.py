"""The shape of `run.container`."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import ByKind, Field, ListOf, MapOf, Record, Text
from dirigent.lang.workflow.shapes.atoms import COMPUTED, DURATION, NAME, SCALARS
from dirigent.lang.workflow.words import Scalar

CLEANUPS: Final = ("always", "never", "eventually")
PULLS: Final = ("ifNotPresent", "always", "never")

_ARGUMENTS: Final = ByKind(text=COMPUTED, list=ListOf(Scalar()), map=MapOf(Scalar(empty=True)))
CONTAINER: Final = Record(
    {
        "image": Field(NAME, required=True),
        "name": Field(NAME),
        "command": Field(NAME),
        "ports": Field(SCALARS, description="ports of the machine, each with that of the container"),
        "volumes": Field(SCALARS, description="paths of the machine, each with that in the container"),
        "environment": Field(SCALARS),
        "stdin": Field(Text()),
        "arguments": Field(_ARGUMENTS),
        "lifetime": Field(
            Record(
                {"cleanup": Field(Text(choices=CLEANUPS), required=True), "after": Field(DURATION)},
                title="`lifetime`",
            )
        ),
        "pullPolicy": Field(Text(choices=PULLS)),
    },
    title="a container",
)
