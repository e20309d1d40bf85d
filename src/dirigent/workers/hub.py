"""The engine's side of workers: hands steps out in batches, takes results, and settles doubt.

Law 1: a worker is told that its result is kept only when the journal holds it.
Law 2: after a crash of the engine, or of a worker, those who come back are heard before anything is
decided: what they bring or still do is no doubt. For the rest the author's policy decides.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from typing import Final, TypeAlias, assert_never

from dirigent.model import fault as faults
from dirigent.model.fault import Fault
from dirigent.model.ids import Position, RunId
from dirigent.model.program import OnDoubt, Program
from dirigent.model.record import dataclass
from dirigent.model.run.effect import Broken, Done, Doubt, Order, Outcome
from dirigent.model.run.journal import Abandoned, Fact, Failed, Held, Skipped, Succeeded, Vouched
from dirigent.model.values import Value
from dirigent.workers.wire import BEAT_SECONDS, Job, Message, Mouth, Result, Token, read

# So long those who lost their engine, or their connection, have to come back.
RETURN_SECONDS: Final = 3.0
# A worker says something at least every `wire.BEAT_SECONDS`.
SILENCE_SECONDS: Final = 5 * BEAT_SECONDS

Place: TypeAlias = tuple[RunId, Position, int]


@dataclass(slots=True, eq=False)
class Guest:
    """A worker that is connected. Without `queues` it takes the steps of all."""

    name: str
    queues: frozenset[str]
    mouth: Mouth
    room: int = 0
    has: set[Token] = field(default_factory=set)
    silent: bool = False

    def takes(self, queue: str) -> bool:
        """Return whether it does the steps of a queue, and may have one more."""
        return len(self.has) < self.room and (not self.queues or queue in self.queues)


def _nothing() -> None:
    """Do nothing: nobody wants to know."""


@dataclass(slots=True, eq=False)
class Hub:
    """Fits `ports.Performer` for `python`. `reveal` puts the values of secrets into a request.

    `changed` is called when the workers have more room or less: nothing should be begun beyond that, for
    what waits here when the engine dies is in doubt.
    """

    reveal: Callable[[Value], Value]
    changed: Callable[[], None] = _nothing
    return_seconds: float = RETURN_SECONDS
    guests: list[Guest] = field(default_factory=list)
    _wanted: dict[Token, asyncio.Future[Result]] = field(default_factory=dict)
    _jobs: dict[Token, Job] = field(default_factory=dict)
    _waiting: dict[str, deque[Token]] = field(default_factory=dict)
    _brought: dict[Token, Result] = field(default_factory=dict)
    debts: dict[Place, Token] = field(default_factory=dict)
    _lenders: dict[Token, Guest] = field(default_factory=dict)
    _backs: dict[Token, asyncio.Event] = field(default_factory=dict)
    _soon: bool = False

    # -- what the engine asks ---------------------------------------------------------------------

    async def perform(self, order: Order) -> Outcome:
        """Have a step done by some worker, or find out what became of it."""
        token = token_of(order)
        self.debts[order.run, order.position, order.attempt] = token
        wanted = self._wanted[token] = asyncio.get_running_loop().create_future()
        if not order.doubtful:
            self._hand_out(order, token)
        elif not await self._returned(token):
            if order.on_doubt is not OnDoubt.REPEAT:
                return _in_doubt(order)
            self._hand_out(order, token)
        while True:
            result = await wanted
            if result.kind != "gone":
                return _outcome(result)
            wanted = self._wanted[token] = asyncio.get_running_loop().create_future()
            if await self._returned(token):
                continue
            if order.on_doubt is not OnDoubt.REPEAT:
                return _in_doubt(order)
            self._hand_out(order, token)

    async def abandon(self, order: Order) -> None:
        """Stop a step wherever it is, and wait until it is over, or until its worker is given up."""
        token = token_of(order)
        if self._jobs.pop(token, None) is not None or token in self._lenders:
            return  # Nobody has begun it, or it is over.
        wanted = self._wanted[token] = asyncio.get_running_loop().create_future()
        guest = self._holder(token)
        if guest is None and not await self._returned(token):
            return
        guest = self._holder(token)
        if guest is not None:
            guest.mouth.next.stop.append(token)
            await wanted

    def hear(self, run: RunId, _: Program, __: int, facts: Sequence[Fact]) -> None:
        """Tell workers which results are durable. An observer of the engine."""
        if not self.debts:
            return
        for fact in facts:
            if isinstance(fact, Succeeded | Failed | Held | Abandoned | Vouched | Skipped):
                token = self.debts.pop((run, fact.position, fact.attempt), None)
                if token is not None:
                    self._settle(token)

    # -- what workers say -------------------------------------------------------------------------

    async def welcome(
        self, request: Mapping[str, object], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Work with a worker until it goes."""
        queues = request.get("queues")
        names = frozenset(str(name) for name in queues) if isinstance(queues, list) else frozenset[str]()
        guest = Guest(str(request.get("name")), names, Mouth(writer))
        self.guests.append(guest)
        guard = asyncio.ensure_future(_guarded(guest, writer))
        try:
            while (message := await read(reader)) is not None:
                guest.silent = False
                self._hear(guest, message)
        except asyncio.CancelledError:
            # The engine ends, not the worker: it hands over to the next one, and nothing is in doubt yet.
            guest.has.clear()
            raise
        finally:
            guard.cancel()
            self.guests.remove(guest)
            self.changed()
            for token in guest.has:
                if self._holder(token) is None:
                    self._give(Result(token, "gone", guest.name))
            writer.close()

    def serves(self, queue: str) -> bool:
        """Return whether a worker is here that asked for this very queue."""
        return any(queue in guest.queues for guest in self.guests)

    def _hear(self, guest: Guest, message: Message) -> None:
        for token in message.mine:
            guest.has.add(token)
            self._awaken(token)
        for result in message.done:
            guest.has.discard(result.token)
            self._lenders[result.token] = guest
            self._give(result)
        if message.room is not None and message.room != guest.room:
            guest.room = message.room
            self.changed()
        self._plan()

    # -- inside -----------------------------------------------------------------------------------

    def _hand_out(self, order: Order, token: Token) -> None:
        request = self.reveal(order.request)
        members = request if isinstance(request, dict) else {}
        args, named = members.get("args"), members.get("kwargs")
        self._brought.pop(token, None)
        self._jobs[token] = Job(
            token,
            str(members.get("step")),
            args if isinstance(args, list) else [],
            named if isinstance(named, dict) else {},
            order.run,
        )
        self._waiting.setdefault(order.queue, deque()).append(token)
        self._plan()

    def _plan(self) -> None:
        if not self._soon and self._jobs:
            self._soon = True
            asyncio.get_running_loop().call_soon(self._share)

    def _share(self) -> None:
        """Give what waits to workers that have room, the emptiest first."""
        self._soon = False
        for queue, tokens in self._waiting.items():
            while tokens:
                free = [guest for guest in self.guests if guest.takes(queue)]
                if not free:
                    break
                job = self._jobs.pop(tokens.popleft(), None)
                if job is not None:
                    guest = min(free, key=lambda each: len(each.has))
                    guest.has.add(job.token)
                    guest.mouth.next.do.append(job)

    def _holder(self, token: Token) -> Guest | None:
        return next((guest for guest in self.guests if token in guest.has), None)

    async def _returned(self, token: Token) -> bool:
        """Return whether a worker has the step or its result, waiting for those who may come back."""
        if token in self._brought:
            self._give(self._brought.pop(token))
            return True
        wanted = self._wanted[token]
        if self._holder(token) is None:
            back = self._backs.setdefault(token, asyncio.Event())
            with suppress(TimeoutError):
                async with asyncio.timeout(self.return_seconds):
                    await back.wait()
            self._backs.pop(token, None)
        return wanted.done() or self._holder(token) is not None

    def _awaken(self, token: Token) -> None:
        back = self._backs.get(token)
        if back is not None:
            back.set()

    def _give(self, result: Result) -> None:
        wanted = self._wanted.get(result.token)
        if wanted is not None and not wanted.done():
            wanted.set_result(result)
            self._awaken(result.token)
        elif result.kind != "gone":
            # Nobody has asked yet: the engine may only just be taking its runs up.
            self._brought[result.token] = result
            asyncio.get_running_loop().call_later(2 * self.return_seconds, self._drop, result.token)

    def _drop(self, token: Token) -> None:
        if self._brought.pop(token, None) is not None:
            self._settle(token)

    def _settle(self, token: Token) -> None:
        self._wanted.pop(token, None)
        self._jobs.pop(token, None)
        guest = self._lenders.pop(token, None)
        if guest is not None and guest in self.guests:
            guest.mouth.next.kept.append(token)


async def _guarded(guest: Guest, writer: asyncio.StreamWriter) -> None:
    """Let a worker go that has not been heard for too long: it hangs, or was stopped."""
    while not guest.silent:
        guest.silent = True
        await asyncio.sleep(SILENCE_SECONDS)
    writer.close()


def busy(hub: Hub) -> bool:
    """Return whether the result of any step is not in the journal yet."""
    return bool(hub.debts)


def room_of(hub: Hub, queue: str) -> int:
    """Return how many steps of a queue the connected workers may have in hand."""
    return sum(guest.room for guest in hub.guests if not guest.queues or queue in guest.queues)


def token_of(order: Order) -> Token:
    """Return the name of an attempt of an effect."""
    return f"{order.id}-{order.attempt}"


def _in_doubt(order: Order) -> Outcome:
    """Return what becomes of a step of which no worker knows anything, and that must not be repeated."""
    request = order.request if isinstance(order.request, dict) else {}
    match order.on_doubt:
        case OnDoubt.SKIP:
            return Done(None)
        case OnDoubt.HOLD | OnDoubt.REPEAT:
            step = request.get("step")
            words = f"the worker that had the step `{step}` has gone, and did not come back"
            return Doubt(words, {"step": step, "request": order.request})
        case _:
            assert_never(order.on_doubt)


def _outcome(result: Result) -> Outcome:
    match result.kind:
        case "done":
            return Done(result.value)
        case "broken" if isinstance(result.value, dict):
            error = result.value
            status = error.get("status")
            return Broken(
                Fault(
                    str(error.get("type") or faults.RUNTIME),
                    status if isinstance(status, int) else 500,
                    str(error.get("title") or ""),
                    str(error.get("detail") or ""),
                )
            )
        case _:
            # Its process ended in the middle: whether it acted before that, nobody can say.
            words = str(result.value)
            return Broken(Fault(faults.RUNTIME, 500, "Step Process Ended", words, doubtful=True))
