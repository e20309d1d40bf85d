"""The section `queues`, and whether the workflows of a stack wait only in queues that it declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from dirigent.lang.shape import nearest, shortened
from dirigent.lang.stack.reading import Reading, mapping_of, text_of
from dirigent.lang.tree import Leaf, Member, Members
from dirigent.model import limits
from dirigent.model.program import Call, Task, tasks_of
from dirigent.model.queue import Limits, Queue, Rate
from dirigent.model.source import Span
from dirigent.model.stack import StackWorkflow

_RATE: Final = re.compile(r"([0-9]+)/([0-9]*)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def read_queues(reading: Reading, found: Members | None) -> dict[str, Queue]:
    """Return the queues; report rates that no queue keeps (E1920)."""
    queues: dict[str, Queue] = {}
    for member in found or ():
        node = mapping_of(member.node)
        at_once = _whole(node, "concurrency")
        rate = _rate(reading, node.members.get("rate")) if node is not None else None
        own = Limits(limits.QUEUE_CONCURRENCY if at_once is None else at_once, rate)
        queues[member.key] = Queue(member.key, own, _workers(node), member.key_span)
    return queues


def _whole(node: Members | None, name: str) -> int | None:
    leaf = node.get(name) if node is not None else None
    value = leaf.value if isinstance(leaf, Leaf) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _workers(node: Members | None) -> int | None:
    leaf = node.get("workers") if node is not None else None
    if isinstance(leaf, Leaf) and leaf.value is True:
        return 0
    number = _whole(node, "workers")
    return number or None


def _rate(reading: Reading, member: Member | None) -> Rate | None:
    text = text_of(member.node) if member is not None else None
    match = _RATE.fullmatch(text or "")
    if member is None or match is None:
        return None
    rate = Rate(int(match[1]), int(match[2] or 1) * _SECONDS[match[3]])
    if rate.number > limits.QUEUE_RATE_MAX or not 0 < rate.seconds <= limits.QUEUE_PERIOD_SECONDS:
        reading.complain(
            "E1920",
            f"no queue keeps the rate `{shortened(match[0])}`",
            member.node.span,
            "too much",
            f"a rate is at most {limits.QUEUE_RATE_MAX} in a period of at most 7 days, as `100/1m`",
        )
        return None
    return rate


def check_queues(
    reading: Reading, queues: Mapping[str, Queue], workflows: Mapping[str, StackWorkflow]
) -> None:
    """Report tasks that wait in a queue which the stack does not declare (E1921), where it declares any."""
    if not queues:
        return
    for workflow in workflows.values():
        for name, span in _waits(workflow.program.root):
            if name not in queues:
                meant = nearest(name, tuple(queues))
                reading.complain(
                    "E1921",
                    f"a task waits in the queue `{shortened(name)}`, which is not declared",
                    span or workflow.span or Span(reading.file, 1, 1, 1, 1),
                    f"did you mean `{meant}`?" if meant else "not declared",
                    f"add `{shortened(name)}:` to `queues:`",
                )


def _waits(root: Task) -> Iterator[tuple[str, Span | None]]:
    for task in tasks_of(root):
        if isinstance(task.node, Call) and task.node.waits is not None:
            yield task.node.waits.queue, task.span
