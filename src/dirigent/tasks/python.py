"""Steps of Python workflows: plain functions in a few threads, async ones on the engine's own loop.

A step in doubt is repeated only where its author said that this does no harm. A thread cannot be
stopped: whoever abandons what runs in one waits for its end.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self, TypeAlias, assert_never

from dirigent.durable.context import PERFORMANCE, Performance
from dirigent.durable.conversion import Form, to_json
from dirigent.durable.failures import NotStorable
from dirigent.durable.play import fault_of
from dirigent.durable.steps import Bound, Options
from dirigent.model import fault as faults
from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.ids import RunId, effect_id
from dirigent.model.program import OnDoubt
from dirigent.model.record import dataclass
from dirigent.model.run.effect import Broken, Done, Doubt, Order, Outcome
from dirigent.model.run.journal import Fact, Succeeded
from dirigent.model.values import Value
from dirigent.tasks.ledger import transact

# A fault that another attempt would meet again, and one that it may not.
FINAL: Final = 422
PASSING: Final = 500
STOPPED: Final = Broken(Fault(faults.RUNTIME, FINAL, "Stopped", "the step was stopped"))

Key: TypeAlias = tuple[str, int]


class Doing(Protocol):
    """A step, as whoever performs it sees it: `durable.steps.Step`."""

    @property
    def name(self) -> str:
        """Return its name for people."""
        ...

    @property
    def options(self) -> Options:
        """Return how it is called."""
        ...

    @property
    def form(self) -> Form:
        """Return its parameters and its result."""
        ...

    @property
    def plain(self) -> bool:
        """Return whether it runs in a thread."""
        ...

    def bound(self, args: Sequence[Value], named: Mapping[str, Value]) -> Bound:
        """Return the function with its arguments."""
        ...


Find: TypeAlias = Callable[[str], Doing]
"""Finds a step by `module:name`, or raises `Refusal` (`E4032`)."""


@dataclass(slots=True, eq=False)
class PythonPerformer:
    """Performs `python`. `find` knows the steps of this process; files of transactions lie below `folder`."""

    find: Find
    folder: str = "."
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(limits.STEP_THREADS, thread_name_prefix="dirigent-step")
    )
    _running: dict[Key, Future[object]] = field(default_factory=dict)
    _written: dict[str, str] = field(default_factory=dict)
    _settled: dict[str, list[str]] = field(default_factory=dict)

    def answer(self, order: Order) -> Outcome | None:
        """Call a quick step on the spot."""
        doing = self._doing(order)
        if not doing.options.quick or order.doubtful:
            return None
        token = PERFORMANCE.set(Performance(order.id, order.attempt, order.run))
        with _Attempt(doing) as attempt:
            attempt.outcome = Done(to_json(_bound(doing, order)(), f"the result of `{doing.name}`"))
        PERFORMANCE.reset(token)
        return attempt.outcome

    def _doing(self, order: Order) -> Doing:
        request = order.request
        return self.find(str(request.get("step")) if isinstance(request, dict) else "")

    async def perform(self, order: Order) -> Outcome:
        """Call the step, unless it may have happened and must not happen twice."""
        doing = self._doing(order)
        if order.doubtful and order.on_doubt is not OnDoubt.REPEAT and not doing.options.database:
            return _doubt(order, doing)
        with _Attempt(doing) as attempt:
            call = _bound(doing, order)
            found = await self._called(order, doing, call)
            attempt.outcome = Done(to_json(found, f"the result of `{doing.name}`"))
        return attempt.outcome

    async def _called(self, order: Order, doing: Doing, call: Bound) -> object:
        performance = Performance(order.id, order.attempt, order.run)
        if not doing.plain:
            token = PERFORMANCE.set(performance)
            found = call()
            result = await found if isinstance(found, Coroutine) else found
            PERFORMANCE.reset(token)
            return result
        context = copy_context()
        context.run(PERFORMANCE.set, performance)
        work = self._transaction(order, doing, call) if doing.options.database else call
        future = self._threads.submit(context.run, work)
        key = (order.id, order.attempt)
        self._running[key] = future
        future.add_done_callback(lambda _: self._running.pop(key, None))
        return await asyncio.wrap_future(future)

    def _transaction(self, order: Order, doing: Doing, call: Bound) -> Callable[[], object]:
        path = str(Path(self.folder) / doing.options.database)
        settled = self._settled.pop(path, [])
        self._written[order.id] = path
        return partial(transact, path, order.id, call, settled, f"the result of `{doing.name}`")

    def hear(self, run: RunId, facts: Sequence[Fact]) -> None:
        """Learn which results the journal holds: their rows in the files of transactions can go."""
        if not self._written:
            return
        for fact in facts:
            if isinstance(fact, Succeeded):
                effect = effect_id(run, fact.position)
                path = self._written.pop(effect, "")
                if path:
                    self._settled.setdefault(path, []).append(effect)

    async def abandon(self, order: Order) -> None:
        """Wait for the end of what runs in a thread; what ran on the loop is over already."""
        future = self._running.get((order.id, order.attempt))
        if future is not None:
            await asyncio.wait([asyncio.wrap_future(future)])

    def close(self) -> None:
        """Begin nothing more; threads that are under way are left to their end."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _bound(doing: Doing, order: Order) -> Bound:
    """Return the step with the arguments of its order."""
    request = order.request if isinstance(order.request, dict) else {}
    args, named = request.get("args"), request.get("kwargs")
    return doing.bound(args if isinstance(args, list) else (), named if isinstance(named, dict) else {})


def _doubt(order: Order, doing: Doing) -> Outcome:
    match order.on_doubt:
        case OnDoubt.SKIP:
            return Done(None)
        case OnDoubt.HOLD | OnDoubt.REPEAT:
            words = f"an engine ended while the step `{doing.name}` was under way"
            return Doubt(words, {"step": doing.name, "request": order.request})
        case _:
            assert_never(order.on_doubt)


class _Attempt:
    """One attempt of a step: every exception of the author's function is its outcome."""

    __slots__ = ("_doing", "outcome")

    def __init__(self, doing: Doing) -> None:
        self._doing = doing
        self.outcome: Outcome = STOPPED

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(failure, Exception):
            return False
        retry = self._doing.options.retry
        passing = retry is not None and not isinstance(failure, NotStorable) and retry.passing(failure)
        self.outcome = Broken(_fault(failure, passing=passing))
        return True


def _fault(failure: Exception, *, passing: bool) -> Fault:
    found = fault_of(failure)
    where = traceback.extract_tb(failure.__traceback__)
    last = where[-1] if where else None
    detail = f"{found.detail} ({found.span.file}:{found.span.line})" if last and found.span else found.detail
    return Fault(found.type, PASSING if passing else FINAL, found.title, detail, span=found.span)
