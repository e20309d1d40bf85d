"""Shapes of every kind of task. Register a new one in `KINDS`, its lowering in `workflow.tasks.kinds`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dirigent.lang.shape import ByKey, ByKind, Field, Flag, ListOf, MapOf, Record, Shape, SingleKeyMap
from dirigent.lang.workflow.shapes.atoms import ANY, BARE, COMPUTED, DURATION, NAME, TASK, TASKS, VARIABLE
from dirigent.lang.workflow.shapes.calls import CALL
from dirigent.lang.workflow.shapes.errors import CATCH, RAISE
from dirigent.lang.workflow.shapes.events import EMIT, LISTEN
from dirigent.lang.workflow.shapes.runs import RUN
from dirigent.lang.workflow.shapes.task import task_shape
from dirigent.model import limits

_FOR: Final = Record(
    {
        "each": Field(VARIABLE),
        "in": Field(ByKind(text=BARE, list=ListOf(ANY)), required=True),
        "at": Field(VARIABLE),
    },
    title="`for`",
)
_CASE: Final = Record({"when": Field(BARE), "then": Field(NAME, required=True)}, title="a case")
_FORK: Final = Record(
    {
        "branches": Field(
            ListOf(SingleKeyMap(TASK), min=1, max=limits.FORK_BRANCHES, what="a list of tasks"), required=True
        ),
        "compete": Field(Flag()),
    },
    title="`fork`",
)

KINDS: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "for": task_shape("a `for` task", "while", for_=_FOR, while_=BARE, do=TASKS),
        "try": task_shape("a `try` task", try_=TASKS, catch=CATCH),
        "call": CALL,
        "fork": task_shape("a `fork` task", fork=_FORK),
        "switch": task_shape("a `switch` task", switch=ListOf(SingleKeyMap(_CASE), min=1)),
        "raise": task_shape("a `raise` task", raise_=RAISE),
        "run": task_shape("a `run` task", run=RUN),
        "set": task_shape("a `set` task", set=ByKind(text=COMPUTED, map=MapOf(ANY, min=1))),
        "wait": task_shape("a `wait` task", wait=DURATION),
        "emit": EMIT,
        "listen": LISTEN,
        "do": task_shape("a `do` task", do=TASKS),
    }
)

DEFINITIONS: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "tasks": ListOf(SingleKeyMap(TASK), max=limits.GRAPH_TASKS, what="a list of tasks"),
        "task": ByKey(KINDS, title="a task"),
    }
)
