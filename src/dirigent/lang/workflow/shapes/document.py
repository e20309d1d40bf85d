"""The shape of a document. A new part of `use` is registered in `USE`; what it means in `workflow.uses`."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import ByKind, Field, ListOf, MapOf, Record, SingleKeyMap, Text
from dirigent.lang.workflow import words
from dirigent.lang.workflow.shapes.atoms import FREE, LABEL, NAME, SEMVER, TASK, TASKS, TIMEOUT
from dirigent.lang.workflow.shapes.borders import INPUT, OUTPUT
from dirigent.lang.workflow.shapes.errors import ERROR, RETRY
from dirigent.lang.workflow.shapes.extensions import EXTENSION
from dirigent.lang.workflow.shapes.network.endpoints import FIXED
from dirigent.lang.workflow.shapes.network.security import POLICY
from dirigent.lang.workflow.shapes.schedule import SCHEDULE
from dirigent.lang.workflow.words import Checked

HEAD: Final = Record(
    {
        "dsl": Field(
            Checked(
                "E1309",
                "text such as `1.0.3`",
                words.dsl_complaint,
                help="write `dsl: 1.0.3`",
            ),
            required=True,
        ),
        "namespace": Field(LABEL, required=True),
        "name": Field(LABEL, required=True),
        "version": Field(SEMVER, required=True),
        "title": Field(Text()),
        "summary": Field(Text()),
        "tags": Field(FREE),
        "metadata": Field(FREE),
    },
    title="`document`",
)
CATALOG: Final = Record({"endpoint": Field(FIXED, required=True)}, title="a catalog")
USE: Final = Record(
    {
        "authentications": Field(MapOf(POLICY)),
        "errors": Field(MapOf(ERROR)),
        "functions": Field(MapOf(TASK)),
        "retries": Field(MapOf(RETRY)),
        "secrets": Field(ListOf(NAME)),
        "timeouts": Field(MapOf(TIMEOUT)),
        "catalogs": Field(MapOf(CATALOG)),
        "extensions": Field(ListOf(SingleKeyMap(EXTENSION), what="a list of extensions")),
    },
    title="`use`",
)
EVALUATE: Final = Record(
    {
        "language": Field(Text(choices=("jq",))),
        "mode": Field(Text(choices=("strict", "loose"))),
    },
    title="`evaluate`",
)

# Other keys may stand at the top, and only there: the lowering warns of them.
DOCUMENT: Final = Record(
    {
        "document": Field(HEAD, required=True),
        "input": Field(INPUT),
        "use": Field(USE),
        "do": Field(TASKS, required=True),
        "timeout": Field(ByKind(text=NAME, map=TIMEOUT)),
        "output": Field(OUTPUT),
        "schedule": Field(SCHEDULE),
        "evaluate": Field(EVALUATE),
    },
    open=True,
    title="a workflow document",
)
