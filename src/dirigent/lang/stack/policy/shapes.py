"""What `policy` of a stack may hold."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import Field, ListOf, Record, Text, Whole
from dirigent.model.run.retention import AGE_PATTERN

_HOST: Final = (
    r"(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?"
)
_AGE: Final = Text(AGE_PATTERN, what="an age as `30d`, `12h` or `90m`")

POLICY: Final = Record(
    {
        "http": Field(
            Record(
                {
                    "hosts": Field(
                        ListOf(Text(_HOST, what="a host name such as `api.example.com`")),
                        description="hosts that HTTP calls may reach beside those a workflow names",
                    )
                },
                title="`policy.http`",
            )
        ),
        "doubt": Field(
            Text(choices=("hold", "repeat", "skip")),
            description="what becomes of an effect of which nobody can say whether it happened",
        ),
        "retention": Field(
            Record(
                {
                    "completed": Field(_AGE, description="how long completed runs are kept"),
                    "failed": Field(_AGE, description="how long failed runs are kept"),
                    "cancelled": Field(_AGE, description="how long cancelled runs are kept"),
                    "runs": Field(Whole(min=0), description="how many ended runs are kept at most"),
                },
                title="`policy.retention`",
            ),
            description="how long runs are kept that have ended; without it, for ever",
        ),
    },
    title="`policy`",
)
