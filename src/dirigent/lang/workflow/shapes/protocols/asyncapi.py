"""The shape of a call of kind `asyncapi`."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import ByKey, Field, Record, Text, Whole
from dirigent.lang.workflow.shapes.atoms import ANY, BARE, COMPUTED_MAP, DURATION, NAME, SCALARS
from dirigent.lang.workflow.shapes.each import EACH
from dirigent.lang.workflow.shapes.network.endpoints import SOURCE
from dirigent.lang.workflow.shapes.network.security import AUTHENTICATION
from dirigent.lang.workflow.shapes.task import task_shape
from dirigent.model import limits
from dirigent.model.protocols.asyncapi import NAMES

_FOR: Final = {"for": Field(DURATION)}
_CONSUME: Final = ByKey(
    {
        "amount": Record(
            {"amount": Field(Whole(min=1, max=limits.RPC_MESSAGES), required=True), **_FOR}, title="`consume`"
        ),
        "while": Record({"while": Field(BARE, required=True), **_FOR}, title="`consume`"),
        "until": Record({"until": Field(BARE, required=True), **_FOR}, title="`consume`"),
    },
    title="`consume`",
    what="a mapping such as `{amount: 5}`",
)
_SUBSCRIPTION: Final = Record(
    {
        "filter": Field(BARE),
        "consume": Field(_CONSUME, required=True),
        "foreach": Field(EACH),
    },
    title="a subscription",
)
_COMMON: Final = {
    "document": Field(SOURCE, required=True),
    "channel": Field(NAME),
    "operation": Field(NAME),
    "server": Field(
        Record({"name": Field(NAME, required=True), "variables": Field(COMPUTED_MAP)}, title="`server`")
    ),
    "protocol": Field(Text(choices=NAMES)),
    "authentication": Field(AUTHENTICATION),
}
_MESSAGE: Final = Record({"payload": Field(ANY), "headers": Field(SCALARS)}, title="a message")
_ARGUMENTS: Final = ByKey(
    {
        "message": Record(
            {**_COMMON, "message": Field(_MESSAGE, required=True)}, title="the arguments of an AsyncAPI call"
        ),
        "subscription": Record(
            {**_COMMON, "subscription": Field(_SUBSCRIPTION, required=True)},
            title="the arguments of an AsyncAPI call",
        ),
    },
    title="the arguments of an AsyncAPI call",
)
CALL: Final = task_shape("an AsyncAPI call", call=ANY, with_=_ARGUMENTS)
