"""What is outside of a workflow under test: it answers as the test says, and notes what it was asked.

It survives every crash of the engine, as a world does. A call that the test did not foresee stops the test.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Final

from dirigent.lang.trial.trial import Answer, Matcher, Reply
from dirigent.model.fault import Fault
from dirigent.model.ids import EffectId, RunId
from dirigent.model.program import Program, Task, tasks_of
from dirigent.model.record import dataclass
from dirigent.model.run.effect import Broken, Done, Doubt, Order, Outcome
from dirigent.model.values import Expression, Value
from dirigent.ports import Clock, Oracle, Performer, Vault
from dirigent.testing.trial.comparing import contains
from dirigent.testing.trial.computing import computed

# The function of calls that can be made in earnest: steps in Python.
REAL: Final = "python"
# The marks of rounds and visits in a position: `[3]` of a loop, `~2` of a jump back.
_MARK: Final = re.compile(r"\[\d+\]|~\d+")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the workflow; `request` holds the secrets of the test in the clear."""

    function: str
    workflow: str
    task: str
    pointer: str
    position: str
    request: Value

    def fits(self, matcher: Matcher) -> bool:
        """Return whether this call is meant."""
        names = (self.task, self.pointer, self.position)
        return (
            (not matcher.task or any(fnmatchcase(name, matcher.task) for name in names))
            and matcher.function in ("", self.function)
            and matcher.workflow in ("", self.workflow)
            and (matcher.request is None or contains(_upper(matcher.request), _upper(self.request)))
        )


@dataclass(slots=True)
class World:
    """`calls` are all that happened, once each; `strange` those that nobody foresaw.

    `served` is how often each answer was given, `programs` the workflow of each run.
    """

    answers: tuple[Answer, ...]
    calls: list[Call] = field(default_factory=list)
    strange: list[Call] = field(default_factory=list)
    served: dict[int, int] = field(default_factory=dict)
    programs: dict[RunId, Program] = field(default_factory=dict)
    happened: set[int] = field(default_factory=set)
    _known: dict[tuple[EffectId, int], tuple[int, Reply, float]] = field(default_factory=dict)
    _over: set[tuple[EffectId, int]] = field(default_factory=set)

    def call_of(self, order: Order, request: Value) -> Call:
        """Return an order as the test file names things."""
        program = self.programs.get(order.run)
        pointer = pointer_of(order.position)
        task = task_at(program.root, pointer) if program else None
        return Call(
            order.function,
            program.name if program else "",
            task.name if task else pointer.rpartition("/")[2],
            pointer,
            order.position,
            request,
        )

    def serve(self, order: Order, call: Call, now: float) -> tuple[Answer, Reply, float] | None:
        """Return what this call is answered, and when it began; None for one that nobody foresaw."""
        this = (order.id, order.attempt)
        if this in self._known:
            number, reply, begun = self._known[this]
            if not order.doubtful or self.answers[number].doubt == "keyed" or this not in self._over:
                return self.answers[number], reply, begun
        for number, answer in enumerate(self.answers):
            count = self.served.get(number, 0)
            if call.fits(answer.matcher) and (answer.times is None or count < answer.times):
                self.served[number] = count + 1
                reply = answer.replies[min(count, len(answer.replies) - 1)]
                self._known[this] = (number, reply, now)
                self.calls.append(call)
                return answer, reply, now
        return None

    def over(self, order: Order) -> None:
        """Note that a call was answered."""
        self._over.add((order.id, order.attempt))

    def answered(self, order: Order) -> bool:
        """Return whether a call was answered before."""
        return (order.id, order.attempt) in self._over


@dataclass(slots=True)
class Stage:
    """Fits `ports.Performer` for every function. `children` runs workflows that no answer stands for.

    `knows` says whether there is such a workflow; `stop` ends the test. `real` makes calls in earnest, which
    takes no virtual time.
    """

    world: World
    clock: Clock
    vault: Vault
    oracle: Oracle
    stop: Callable[[], None]
    children: Performer | None = None
    knows: Callable[[Order], bool] = lambda _: False
    real: Performer | None = None
    _handed: set[EffectId] = field(default_factory=set)
    _begun: set[EffectId] = field(default_factory=set)

    async def perform(self, order: Order) -> Outcome:
        """Answer as the test says."""
        request = self.vault.reveal(order.request)
        call = self.world.call_of(order, request)
        found = self.world.serve(order, call, self.clock.now())
        if found is None:
            return await self._unforeseen(order, call)
        answer, reply, begun = found
        if order.doubtful and answer.doubt == "unknown":
            return Doubt("nobody can say", {"task": call.task})
        if reply.earnest and (self.real is None or order.function != REAL):
            return await self._strange(call)
        if reply.seconds:
            await self.clock.sleep_until(begun + reply.seconds)
        if reply.earnest and self.real is not None:
            self._begun.add(order.id)
            outcome = await self.real.perform(order)
        else:
            outcome = await self._outcome(reply, request)
        self.world.over(order)
        await asyncio.sleep(0)
        return outcome

    async def abandon(self, order: Order) -> None:
        """Stop it: a child run in earnest, everything else by forgetting it."""
        if order.id in self._handed and self.children is not None:
            await self.children.abandon(order)
        if order.id in self._begun and self.real is not None:
            await self.real.abandon(order)
        await asyncio.sleep(0)

    async def _unforeseen(self, order: Order, call: Call) -> Outcome:
        if order.function == "workflow" and self.children is not None and self.knows(order):
            self._handed.add(order.id)
            if not order.doubtful:
                self.world.calls.append(call)
            return await self.children.perform(order)
        return await self._strange(call)

    async def _strange(self, call: Call) -> Outcome:
        self.world.strange.append(call)
        self.stop()
        # The test is over: what this call would give is nobody's concern.
        await asyncio.get_running_loop().create_future()
        return Doubt("nobody foresaw it")

    async def _outcome(self, reply: Reply, request: Value) -> Outcome:
        result: Value | Fault = (
            await computed(reply.result, request, self.oracle)
            if isinstance(reply.result, Expression)
            else reply.result
        )
        return Broken(result) if isinstance(result, Fault) else Done(result)


def pointer_of(position: str) -> str:
    """Return the JSON pointer of the task of a position: without iterations and visits."""
    return _MARK.sub("", position)


def task_at(root: Task, pointer: str) -> Task | None:
    """Return the task at a JSON pointer."""
    return next((task for task in tasks_of(root) if task.pointer == pointer), None)


def _upper(request: Value) -> Value:
    """Return a request whose method is in capitals, as requests are recorded."""
    if isinstance(request, dict) and isinstance(request.get("method"), str):
        return {**request, "method": str(request["method"]).upper()}
    return request
