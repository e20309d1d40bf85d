"""Workers and the engine's hub for them, put together."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from dirigent.app.stacks import Surrounding, queues_of
from dirigent.engine.queues import Queues, size
from dirigent.model.queue import Queue
from dirigent.model.record import dataclass
from dirigent.ports import Performer, Prompt
from dirigent.service import door
from dirigent.workers.dispatch import Dispatch
from dirigent.workers.hub import Hub, busy, room_of
from dirigent.workers.launch import started
from dirigent.workers.worker import Wish, Worker

# Those that an engine starts leave when it has gone and no other has come for so long.
PATIENCE_SECONDS: Final = 15.0
CHILD: Final = "from dirigent.app.workers.children import main; main()"


@dataclass(frozen=True, slots=True)
class Post:
    """What a worker is started with: where its code lies, at which door it knocks, whose steps it takes."""

    folder: Path
    door: str
    queues: Sequence[str]
    concurrency: int
    patience_seconds: float | None = None


def worker_at(post: Post, told: Callable[[str], None]) -> Worker:
    """Return a worker, ready to work."""
    folder = str(post.folder.absolute())
    return Worker(
        Wish(f"{os.getpid()}-{secrets.token_hex(4)}", post.queues, post.patience_seconds),
        lambda: door.knock(post.door),
        (sys.executable, "-c", CHILD, folder),
        post.concurrency,
        told,
    )


def dispatched(hub: Hub, around: Surrounding, local: Performer | None) -> Dispatch:
    """Return who does Python steps: workers where a queue says so, else this process."""
    prompt: object = local
    return Dispatch(hub, remote_of(around), local, prompt if isinstance(prompt, Prompt) else None)


def remote_of(around: Surrounding) -> list[str]:
    """Return the queues whose Python steps go to workers."""
    return [queue.name for queue in queues_of(around).values() if queue.workers is not None]


def measured(hub: Hub, queues: Queues, remote: Collection[str]) -> None:
    """Let no more steps begin than the workers have room for; none before the first worker comes."""

    def changed() -> None:
        for name in remote:
            size(queues, name, room_of(hub, name))

    hub.changed = changed
    changed()


@asynccontextmanager
async def own_workers(around: Surrounding, hub: Hub, door: str) -> AsyncIterator[None]:
    """Have the workers that the stack wants the engine to start.

    They end with the block, unless they are busy: then they wait for the next engine, as far as their
    patience goes, and hand their results to it.
    """
    processes = [_start(door, around.folder, queue) for queue in queues_of(around).values() if queue.workers]
    try:
        yield
    finally:
        if not busy(hub):
            for process in processes:
                process.send_signal(signal.SIGTERM)
            for process in processes:
                await asyncio.to_thread(process.wait)


def _start(door: str, folder: Path, queue: Queue) -> subprocess.Popen[bytes]:
    command = [
        *(sys.executable, "-m", "dirigent", "worker", "-C", str(folder.absolute())),
        *("--connect", door, "--queue", queue.name, "--concurrency", str(queue.workers)),
        *("--patience", str(PATIENCE_SECONDS), "--quiet"),
    ]
    return started(command)


def loads(hub: Hub, declared: Mapping[str, Queue]) -> dict[str, int]:
    """Return how many workers are connected, by queue; those of every queue count for all."""
    names = {*declared, *(name for guest in hub.guests for name in guest.queues)}
    return {name: sum(not guest.queues or name in guest.queues for guest in hub.guests) for name in names}
