"""What a person sees of the queues: from the engine that lets go, or from the store where none runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from dirigent.model import limits
from dirigent.model.queue import Queue
from dirigent.model.record import dataclass
from dirigent.ports import Shelf
from dirigent.service import door

ANSWER_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class QueueView:
    """One queue. `oldest` is since when the first that waits does; `workers` None says that it has none."""

    name: str
    waiting: int
    running: int
    oldest: float | None
    concurrency: int
    rate: str = ""
    workers: int | None = None


def view(queue: Queue, waits: Sequence[float], running: int, workers: int | None) -> QueueView:
    """Return how a queue looks; `waits` are the times since when something waits."""
    return QueueView(
        queue.name,
        len(waits),
        running,
        min(waits, default=None),
        queue.limits.concurrency,
        str(queue.limits.rate) if queue.limits.rate else "",
        workers,
    )


def answering(look: Callable[[], Sequence[QueueView]]) -> door.Work:
    """Return what answers, at the door of an engine, who asks for its queues."""

    async def answer(_: Mapping[str, object], __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps([asdict(each) for each in look()]).encode() + b"\n")
        await writer.drain()

    return answer


async def of_engine(path: str) -> list[QueueView] | None:
    """Return the queues of the engine behind a door; None where no engine answers."""
    wire = await door.knock(path)
    if wire is None:
        return None
    reader, writer = wire
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            writer.write(json.dumps({"verb": "queues"}).encode() + b"\n")
            line = await reader.readline()
    except (OSError, TimeoutError):
        return None
    finally:
        writer.close()
    found = json.loads(line) if line else None
    return [QueueView(**each) for each in found] if isinstance(found, list) else None


async def of_store(shelf: Shelf, declared: Mapping[str, Queue]) -> list[QueueView]:
    """Return the queues as the store tells of them: the runs that wait, and those that were let go."""
    waits: dict[str, list[float]] = {}
    running: dict[str, int] = {}
    for run in await shelf.runs(only_open=True, limit=limits.RUNS_OPEN):
        if run.queue and run.admitted_at is None:
            waits.setdefault(run.queue, []).append(run.created_at)
        elif run.queue:
            running[run.queue] = running.get(run.queue, 0) + 1
    return [
        view(
            declared.get(name) or Queue(name),
            waits.get(name, []),
            running.get(name, 0),
            _declared(declared, name),
        )
        for name in dict.fromkeys([*declared, *waits, *running])
    ]


def _declared(declared: Mapping[str, Queue], name: str) -> int | None:
    queue = declared.get(name)
    return 0 if queue is not None and queue.workers is not None else None
