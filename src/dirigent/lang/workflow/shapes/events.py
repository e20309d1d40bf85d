"""Shapes of the tasks that send and await events; `STRATEGY` is also that of `schedule.on`."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import ByKey, ByKind, Field, ListOf, MapOf, Record, Text
from dirigent.lang.workflow.shapes.atoms import ANY, BARE, FREE, NAME
from dirigent.lang.workflow.shapes.each import EACH
from dirigent.lang.workflow.shapes.task import task_shape
from dirigent.lang.workflow.words import Scalar
from dirigent.model import limits

_WRITTEN: Final = {
    name: Field(Text(min_length=1, what="text, or an expression"))
    for name in ("id", "time", "subject", "datacontenttype", "dataschema")
}
_MADE: Final = Record(
    {
        "source": Field(NAME, required=True),
        "type": Field(NAME, required=True),
        **_WRITTEN,
        "data": Field(ANY),
        "extensions": Field(FREE),
    },
    open=True,
    title="the attributes of an event",
)
_EVENT: Final = Record({"with": Field(_MADE, required=True)}, title="an event")
_EMIT: Final = Record({"event": Field(_EVENT, required=True)}, title="`emit`")

_CORRELATION: Final = Record(
    {"from": Field(BARE, required=True), "expect": Field(Scalar())}, title="a correlation"
)
FILTER: Final = Record(
    {"with": Field(FREE, required=True), "correlate": Field(MapOf(_CORRELATION))}, title="an event filter"
)
_FILTERS: Final = ListOf(FILTER, max=limits.EVENT_FILTERS)


def _strategy(*, nested: bool) -> ByKey:
    until = {} if nested else {"until": Field(ByKind(text=BARE, map=_strategy(nested=True)))}
    return ByKey(
        {
            "one": Record({"one": Field(FILTER)}, title="a strategy of one event"),
            "all": Record(
                {"all": Field(ListOf(FILTER, min=1, max=limits.EVENT_FILTERS))},
                title="a strategy of all events",
            ),
            "any": Record({"any": Field(_FILTERS), **until}, title="a strategy of any events"),
        },
        title="what to listen to",
        what="a mapping such as `{one: {with: {type: com.example.paid}}}`",
    )


STRATEGY: Final = _strategy(nested=False)
_LISTEN: Final = Record(
    {"to": Field(STRATEGY, required=True), "read": Field(Text(choices=("data", "envelope", "raw")))},
    title="`listen`",
)
EMIT: Final = task_shape("an `emit` task", emit=_EMIT)
LISTEN: Final = task_shape("a `listen` task", "foreach", listen=_LISTEN, foreach=EACH)
