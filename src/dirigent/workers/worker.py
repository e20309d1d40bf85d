"""A worker: it asks an engine for steps, has its children do them, and hands the results over.

Law 1: a result is kept until the engine says that it is durable; an engine that dies is waited for, and
the next one gets it. Law 2: what the worker is busy with when an engine comes back is told to it first.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import field
from typing import Final, TypeAlias

from dirigent.model.record import dataclass
from dirigent.workers.bench import Bench
from dirigent.workers.wire import BEAT_SECONDS, Message, Mouth, Result, Token, nothing, pack, read

AGAIN_SECONDS: Final = 0.1

Connect: TypeAlias = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter] | None]]
"""Opens the wire to the engine; None while there is none."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a worker tells of itself when it knocks: a name of its own, and whose steps it takes.

    Without `queues` it takes those of every queue. It leaves when no engine has come for `patience_seconds`.
    """

    name: str
    queues: Sequence[str] = ()
    patience_seconds: float | None = None

    def line(self) -> bytes:
        """Return what is said at the door."""
        wish = {"verb": "work", "name": self.name, "queues": list(self.queues)}
        return json.dumps(wish).encode() + b"\n"


@dataclass(slots=True, eq=False)
class Worker:
    """Works until it is cancelled. `told` hears what people may want to know, a line at a time."""

    wish: Wish
    connect: Connect
    command: Sequence[str]
    concurrency: int
    told: Callable[[str], None]
    _held: dict[Token, Result] = field(default_factory=dict)
    _mouth: Mouth | None = None
    _said_room: int = -1
    _leaving: bool = False

    async def work(self) -> None:
        """Take steps, from one engine after the other. Returns when nobody has come for too long."""
        bench = Bench(self.command, self.concurrency, self._over)
        await bench.open()
        try:
            await self._work(bench)
        finally:
            await bench.close()

    async def _work(self, bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        alone, said = loop.time(), False
        while not self._leaving:
            wire = await self.connect()
            if wire is None and not said:
                self.told(
                    "no engine is here; waiting for one (`dirigent serve`, or any command that runs one)"
                )
            said = True
            if wire is not None:
                self.told(f"working for the engine, {self.concurrency} at a time")
                await self._serve(bench, *wire)
                self.told("the engine has gone; waiting for the next one")
                alone = loop.time()
            elif self.wish.patience_seconds is not None and loop.time() > alone + self.wish.patience_seconds:
                return
            await asyncio.sleep(AGAIN_SECONDS)

    async def _serve(self, bench: Bench, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = nothing()
        first.mine, first.done = bench.tokens, list(self._held.values())
        first.room = self._said_room = bench.room
        writer.write(self.wish.line())
        writer.write(pack(first))
        self._mouth = Mouth(writer)
        beating = asyncio.ensure_future(self._beat(bench, self._mouth))
        try:
            while (message := await read(reader)) is not None:
                self._obey(bench, message)
                if bench.room != self._said_room:
                    self._said_room = self._mouth.next.room = bench.room
        finally:
            beating.cancel()
            self._mouth = None
            writer.close()

    async def _beat(self, bench: Bench, mouth: Mouth) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            mouth.next.room = bench.room

    def _obey(self, bench: Bench, message: Message) -> None:
        for token in message.kept:
            self._held.pop(token, None)
        for token in message.stop:
            if not bench.stop(token) and token not in self._held:
                self._over(Result(token, "lost", "this worker does not know it"))
        for job in message.do:
            # The engine wants it done, whatever became of it before.
            self._held.pop(job.token, None)
        if message.do:
            busy = set(bench.tokens)
            bench.take([job for job in message.do if job.token not in busy])

    def _over(self, result: Result) -> None:
        self._held[result.token] = result
        if self._mouth is not None:
            self._mouth.next.done.append(result)
