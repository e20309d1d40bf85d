"""Shapes of `run`. A new kind is registered in `RUNS`; its lowering in `workflow.calls.runs`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.lang.shape import ByKey, ByKind, Field, Flag, ListOf, MapOf, Record, Shape, Text
from dirigent.lang.workflow import words
from dirigent.lang.workflow.shapes.atoms import COMPUTED, COMPUTED_MAP, LABEL, NAME, SCALARS
from dirigent.lang.workflow.shapes.network.endpoints import SOURCE
from dirigent.lang.workflow.shapes.protocols import containers
from dirigent.lang.workflow.words import Checked, Scalar

# Maps were the standard's form up to 1.0.1, lists are since; both are taken.
_ARGUMENTS: Final = ByKind(
    text=COMPUTED,
    list=ListOf(Scalar()),
    map=MapOf(Scalar(empty=True)),
)
_PROCESS: Final[Mapping[str, Field]] = {
    "stdin": Field(Text()),
    "arguments": Field(_ARGUMENTS),
    "environment": Field(SCALARS),
}
_LANGUAGE: Final = Text(choices=("python", "js", "javascript"))


def _script(key: str, shape: Shape) -> Record:
    fields = {"language": Field(_LANGUAGE, required=True), key: Field(shape), **_PROCESS}
    return Record(fields, title="a script")


RUNS: Final[Mapping[str, Shape]] = {
    "shell": Record({"command": Field(NAME, required=True), **_PROCESS}, title="a shell command"),
    "script": ByKey({"code": _script("code", Text()), "source": _script("source", SOURCE)}, title="a script"),
    "workflow": Record(
        {
            "namespace": Field(LABEL, required=True),
            "name": Field(LABEL, required=True),
            "version": Field(
                ByKind(
                    text=Checked(
                        "E1205",
                        "a version as text",
                        lambda text: "" if text == "latest" else words.semver_complaint(text),
                    )
                )
            ),
            "input": Field(COMPUTED_MAP),
        },
        title="a workflow to run",
    ),
    "container": containers.CONTAINER,
}
_AWAIT: Final[Mapping[str, Field]] = {
    "await": Field(Flag()),
    "return": Field(Text(choices=("stdout", "stderr", "code", "all", "none"))),
}
RUN: Final = ByKey(
    {name: Record({name: Field(shape), **_AWAIT}, title="`run`") for name, shape in RUNS.items()},
    title="`run`",
)
