"""What an engine must know of the past of its queues: when the last runs and effects of each began.

Without it a crash would let a rate be exceeded, and a key have its turn twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from dirigent.model.problem import Refusal
from dirigent.model.queue import Queue
from dirigent.model.run.journal import Created, Fact, Intended, Resumed, Suspended
from dirigent.model.run.summary import RunSummary
from dirigent.model.run.ticket import Ticket
from dirigent.ports import Journal, Shelf

# So many of the newest runs are looked at: those that a rate can still count, and the turns of keys.
LOOKED_AT: Final = 2_000

Beginning: TypeAlias = tuple[str, float, str]
"""That something of a queue began: the queue, when, and its key."""


async def beginnings(
    journal: Journal, shelf: Shelf, declared: Mapping[str, Queue], now: float
) -> list[Beginning]:
    """Return what began in queues, oldest first, as far as it can matter for what may begin next."""
    rates = [queue.limits.rate for queue in declared.values()]
    horizon = now - max((rate.seconds for rate in rates if rate is not None), default=0.0)
    found = [run for run in await shelf.runs(limit=LOOKED_AT) if _matters(run, horizon)]
    pasts = await journal.recall([run.id for run in found])
    began: list[Beginning] = []
    for run, past in zip(found, pasts, strict=True):
        if isinstance(past, Refusal):
            continue  # Whoever takes the run up says so.
        facts = past.facts if past.position == 0 else await journal.read(run.id)
        began.extend(_of(facts))
    return sorted(began, key=lambda each: each[1])


def _matters(run: RunSummary, horizon: float) -> bool:
    return bool(run.queue) or run.ended_at is None or run.ended_at >= horizon


def _of(facts: Sequence[Fact]) -> list[Beginning]:
    began: list[Beginning] = []
    ticket: Ticket | None = None
    paused = False
    for fact in facts:
        match fact:
            case Created(ticket=Ticket() as found):
                ticket = found
            case Suspended() | Resumed() if paused or isinstance(fact, Suspended):
                paused = isinstance(fact, Suspended)  # What a person said lets nobody go.
            case Resumed(at=at) if ticket is not None:
                began.append((ticket.queue, at, ticket.key))
                ticket = None
            case Intended(at=at, queue=queue) if queue:
                began.append((queue, at, ""))
            case _:
                pass
    return began
