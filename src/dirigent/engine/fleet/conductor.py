"""Any process on a shared store as a conductor: it starts, steers and follows any run, whoever drives it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol, TypeVar

from dirigent.core.events.shape import check_event
from dirigent.core.status import unknown
from dirigent.engine.fleet.fleet import Fleet
from dirigent.engine.fleet.holding import is_loss
from dirigent.model.events.listening import Event
from dirigent.model.ids import Digest, RunId
from dirigent.model.plan import Plan
from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Ended, Fact
from dirigent.model.run.start import Start
from dirigent.ports import Heard, Journal, Shelf
from dirigent.ports.events import Logged

T = TypeVar("T")

# How often a run is looked at that somebody follows, when no hint comes.
LOOK_SECONDS: Final = 0.25
# So long it is left alone, however many hints come.
REST_SECONDS: Final = 0.02


class Wishing(Protocol):
    """How a wish gets to the owner of a shard."""

    async def home(self, name: str) -> int:
        """Return the shard in which a run of this name, or of the queue of this name, is made."""
        ...

    async def place(self, run: RunId) -> int | None:
        """Return the shard of a run, None when there is no such run."""
        ...

    async def start(self, start: Start, shard: int) -> RunId:
        """Have a run begun, and return its id, or that of the one that stands for it."""
        ...

    async def tell(self, key: str, shard: int, run: RunId, fact: Fact) -> None:
        """Have a word put into a run; the same key twice is the same wish."""
        ...

    async def hinted(self, seconds: float) -> None:
        """Return when another process gave a hint, or so long has passed."""
        ...


@dataclass(frozen=True, slots=True)
class FleetConductor:
    """Conducts on a shared store. Without a `fleet` this process owns no shard and wishes for everything."""

    wishing: Wishing
    journal: Journal
    shelf: Shelf
    fleet: Fleet | None = None

    async def start(self, start: Start) -> RunId:
        """Create a run; durable when this returns. A run in a queue is made where its queue is."""
        shard = await self.wishing.home(start.ticket.queue if start.ticket else start.id)
        engine = self.fleet.engine(shard) if self.fleet else None
        if engine is not None:
            with suppress(ShardGone):
                return await _here(lambda: engine.start(start))
        await self.journal.keep(start.program)
        return await self.wishing.start(start, shard)

    async def tell(self, run: RunId, fact: Fact) -> None:
        """Put a person's word into a run, once, whoever owns it by then."""
        shard = await self.wishing.place(run)
        if shard is None:
            raise unknown(run)
        engine = self.fleet.engine(shard) if self.fleet else None
        if engine is not None:
            try:
                await _here(lambda: engine.tell(run, fact))
            except ShardGone:
                if fact in await self.journal.read(run):
                    return
            else:
                return
        await self.wishing.tell(secrets.token_hex(16), shard, run, fact)

    async def left_out(self) -> dict[RunId, Problem]:
        """Return the open runs that no engine of this process could take up, and why."""
        engines = self.fleet.engines() if self.fleet else ()
        return {run: why.problems[0] for engine in engines for run, why in engine.left_out.items()}

    async def keep(self, program: Program) -> Digest:
        """Store a definition."""
        return await self.journal.keep(program)

    async def take_events(self, events: Sequence[Event]) -> list[bool]:
        """Take events in: the log is everybody's. When they arrived is told by the clock of the store."""
        for event in events:
            check_event(event)
        if not isinstance(self.journal, Logged):
            raise refuse("E4102", "this store keeps no events", "name a store that does, with `--state`")
        return await self.journal.log.take_events([(0.0, event) for event in events])

    async def keep_plan(self, plan: Plan) -> None:
        """Store a plan."""
        await self.shelf.keep_plan(plan)

    async def wait(self, run: RunId) -> Ended:
        """Return how a run ended, whoever drives it."""
        shard = await self.wishing.place(run)
        if shard is None:
            raise unknown(run)
        engine = self.fleet.engine(shard) if self.fleet else None
        if engine is not None:
            with suppress(ShardGone):
                return await _here(lambda: engine.wait(run))
        return await self.follow(run, lambda *_: None)

    async def follow(self, run: RunId, heard: Heard) -> Ended:
        """Read the store until the run has ended; `heard` gets every fact once, in order."""
        told = 0
        program: Program | None = None
        while True:
            found = await self.shelf.run(run)
            if found is None:
                raise unknown(run)
            program = program or await self.journal.definition(found.definition)
            if found.facts > told:
                facts = await self.journal.read(run, told)
                heard(run, program, facts)
                told += len(facts)
                if facts and isinstance(facts[-1], Ended):
                    return facts[-1]
            await self._pause()

    async def _pause(self) -> None:
        """Return when there may be something new."""
        await asyncio.sleep(REST_SECONDS)
        if self.fleet is None:
            await self.wishing.hinted(LOOK_SECONDS)
            return
        self.fleet.crew.check()
        stirred = [
            asyncio.ensure_future(self.fleet.news.wait()),
            asyncio.ensure_future(self.wishing.hinted(LOOK_SECONDS)),
        ]
        try:
            await asyncio.wait(stirred, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in stirred:
                each.cancel()


class ShardGone(Exception):
    """The shard was lost while its engine was asked: somebody else has it now, or soon."""


async def _here(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask an engine of this process. Raises `ShardGone` when its shard is lost meanwhile."""
    asked = asyncio.ensure_future(ask())
    await asyncio.wait([asked])
    if asked.cancelled():
        raise ShardGone
    try:
        return asked.result()
    except Refusal as refusal:
        if is_loss(refusal):
            raise ShardGone from None
        raise
