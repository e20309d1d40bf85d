"""Shapes of errors and of what is done about them: `raise`, `catch`, retry policies."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import ByKey, ByKind, Field, OrExpression, Record, Text, Whole
from dirigent.lang.workflow import words
from dirigent.lang.workflow.shapes.atoms import ANY, BARE, DURATION, NAME, TASKS, VARIABLE
from dirigent.lang.workflow.words import Checked
from dirigent.model import limits

ERROR: Final = Record(
    {
        "type": Field(Checked("E1310", "a URI as text", words.uri_complaint, computed=True), required=True),
        "status": Field(OrExpression(Whole(min=100, max=599)), required=True),
        "instance": Field(Text()),
        "title": Field(Text()),
        "detail": Field(Text()),
    },
    title="an error",
)
_BACKOFFS: Final = ("constant", "linear", "exponential")
RETRY: Final = Record(
    {
        "when": Field(BARE),
        "exceptWhen": Field(BARE),
        "delay": Field(DURATION),
        "backoff": Field(
            ByKey(
                {
                    name: Record({name: Field(ByKind(map=ANY, null=ANY))}, title="`backoff`")
                    for name in _BACKOFFS
                },
                title="`backoff`",
                what="a mapping such as `{exponential: {}}`",
            )
        ),
        "limit": Field(
            Record(
                {
                    "attempt": Field(
                        Record(
                            {
                                "count": Field(Whole(min=0, max=limits.RETRIES)),
                                "duration": Field(DURATION),
                            },
                            title="`attempt`",
                        )
                    ),
                    "duration": Field(DURATION),
                },
                title="`limit`",
            )
        ),
        "jitter": Field(
            Record(
                {"from": Field(DURATION, required=True), "to": Field(DURATION, required=True)},
                title="`jitter`",
            )
        ),
    },
    title="a retry policy",
    what="the name of a retry policy, or a mapping",
)
CATCH: Final = Record(
    {
        "errors": Field(
            Record(
                {
                    "with": Field(
                        Record(
                            {
                                "type": Field(Text()),
                                "status": Field(Whole()),
                                "instance": Field(Text()),
                                "title": Field(Text()),
                                "detail": Field(Text()),
                                "details": Field(Text()),
                            },
                            title="an error filter",
                        )
                    )
                },
                title="`errors`",
            )
        ),
        "as": Field(VARIABLE),
        "when": Field(BARE),
        "exceptWhen": Field(BARE),
        "retry": Field(ByKind(text=NAME, map=RETRY)),
        "do": Field(TASKS),
        "then": Field(NAME),
    },
    title="`catch`",
)

RAISE: Final = Record({"error": Field(ByKind(text=NAME, map=ERROR), required=True)}, title="`raise`")
