"""The kinds of task. Register a new one in `KINDS`, its shape in `shapes.kinds.KINDS`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dirigent.lang.workflow.calls.kinds import lower_call
from dirigent.lang.workflow.calls.runs import lower_run
from dirigent.lang.workflow.reading import Lowering
from dirigent.lang.workflow.tasks import errors, events, flow

# In the order in which a task is asked what it is: `for` and `try` before the keys they share.
KINDS: Final[Mapping[str, Lowering]] = MappingProxyType(
    {
        "for": flow.lower_for,
        "try": errors.lower_try,
        "call": lower_call,
        "fork": flow.lower_fork,
        "switch": flow.lower_switch,
        "raise": errors.lower_raise,
        "run": lower_run,
        "set": flow.lower_set,
        "wait": flow.lower_wait,
        "emit": events.lower_emit,
        "listen": events.lower_listen,
        "do": flow.lower_do,
    }
)
