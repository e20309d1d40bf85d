"""The shape of a call of kind `a2a`."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import Field, Record, Text
from dirigent.lang.workflow.shapes.atoms import ANY, COMPUTED_MAP
from dirigent.lang.workflow.shapes.network.endpoints import SOURCE, WEB
from dirigent.lang.workflow.shapes.task import task_shape
from dirigent.model.protocols import a2a

_ARGUMENTS: Final = Record(
    {
        "method": Field(Text(choices=a2a.METHODS), required=True),
        "agentCard": Field(SOURCE),
        "server": Field(WEB),
        "parameters": Field(COMPUTED_MAP),
    },
    title="the arguments of an A2A call",
)
CALL: Final = task_shape("an A2A call", call=ANY, with_=_ARGUMENTS)
