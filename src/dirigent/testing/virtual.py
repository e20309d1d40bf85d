"""Event loops without real time: several processes, one clock, and an order that follows from a seed.

Time moves when nobody has anything to do, to the next moment at which somebody has. Nothing is
guessed: same seed, same order, same times. Callbacks of one process keep their order, as asyncio
promises. A process can be paused, and killed between any two callbacks: nothing of it runs afterwards.
"""

from __future__ import annotations

import asyncio
import heapq
import warnings
from asyncio import AbstractEventLoop, BaseEventLoop, Future, Handle, Task, TimerHandle
from asyncio.events import _get_running_loop, _set_running_loop
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from contextvars import Context
from typing import Final, TypeAlias, TypeVar, TypeVarTuple

from dirigent.testing.dice import Dice

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")
Work: TypeAlias = Coroutine[None, None, _T] | Generator[None, None, _T]

EPOCH: Final = 1_000_000.0
STEPS_MAX: Final = 1_000_000


class Call(Handle):
    """A callback that is due."""

    def go(self) -> None:
        """Do it, unless it was taken back."""
        if not self.cancelled():
            self._run()


class Alarm(TimerHandle):
    """A callback that is due at a time."""

    def go(self) -> None:
        """Do it, unless it was taken back."""
        if not self.cancelled():
            self._run()


class Process(BaseEventLoop):
    """An event loop of its own, as an operating system's process has one."""

    def __init__(self, name: str, universe: Universe) -> None:
        """Begin with nothing to do."""
        super().__init__()
        self.name = name
        self.alive = True
        self.paused = False
        self.tasks: list[Task[object]] = []
        self.ready: deque[Call | Alarm] = deque()
        self._universe = universe
        self.set_exception_handler(self._complain)

    def time(self) -> float:
        """Return the virtual time, in seconds since the epoch."""
        return self._universe.now

    def call_soon(
        self,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> Handle:
        """Have something done; the dead do nothing any more."""
        handle = Call(callback, args, self, context)
        if self.alive:
            self.ready.append(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> TimerHandle:
        """Have something done at a virtual time."""
        handle = Alarm(when, callback, args, self, context)
        self._universe.expect(when, self, handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> TimerHandle:
        """Have something done after some virtual seconds."""
        return self.call_at(self._universe.now + delay, callback, *args, context=context)

    def create_task(self, coro: Work[_T], *, name: object = None, context: Context | None = None) -> Task[_T]:
        """Begin a task."""
        label = None if name is None else str(name)
        task: Task[_T] = Task(coro, loop=self, name=label, context=context)
        self.tasks.append(task)
        return task

    def _complain(self, loop: AbstractEventLoop, context: dict[str, object]) -> None:
        """Note what nobody waited for; whoever simulates may look at `Universe.complaints`."""
        if loop is self and self.alive:
            failure = context.get("exception")
            known = failure if isinstance(failure, BaseException) else RuntimeError(str(context["message"]))
            self._universe.complaints.append((self.name, known))

    def is_closed(self) -> bool:
        """Return whether it is dead."""
        return not self.alive

    def kill(self) -> None:
        """Stop it where it is. Nothing is cleaned up: that is what a crash is."""
        self.alive = False
        self.ready.clear()

    def bury(self) -> None:
        """Put away what a dead process left unfinished."""
        self.kill()
        _set_running_loop(self)
        for task in self.tasks:
            if not task.done():
                # What cannot be closed was waiting inside a `finally`; nobody is left to wait with it.
                with suppress(RuntimeError):
                    task.get_coro().close()
        self.tasks.clear()
        _set_running_loop(None)

    def _timer_handle_cancelled(self, handle: TimerHandle) -> None:
        """A timer that was taken back stays in the heap and is passed over when its time comes."""


class Universe:
    """Virtual time and the processes in it.

    `dice` decide which process goes on next, and in which order comes what is due at the same moment;
    without any it is first come, first served. `steps` counts the callbacks that ran; `before` is called
    before each of them.
    """

    def __init__(self, dice: Dice | None = None, start: float = EPOCH) -> None:
        """Begin at a time, in seconds since the epoch."""
        self.now = start
        self.steps = 0
        self.complaints: list[tuple[str, BaseException]] = []
        self.processes: list[Process] = []
        self.before: Callable[[Process], None] | None = None
        self._dice = dice
        self._moments: list[tuple[float, int, Process, Alarm]] = []
        self._arrivals = 0

    def process(self, name: str) -> Process:
        """Return a new process."""
        process = Process(name, self)
        self.processes.append(process)
        return process

    def expect(self, when: float, process: Process, handle: Alarm) -> None:
        """Keep a callback for its time."""
        self._arrivals += 1
        heapq.heappush(self._moments, (when, self._arrivals, process, handle))

    def run(self, over: Callable[[], bool], until: float = float("inf"), steps: int = STEPS_MAX) -> str:
        """Go on until `over` says so; return why it stopped: `over`, `quiet`, `late` or `busy`.

        `quiet` is when nothing can happen any more, `late` when the next thing lies behind `until`, `busy`
        when so many callbacks have run: something goes round in a circle.
        """
        outer = _get_running_loop()
        last = self.steps + steps
        try:
            while not over():
                if self.steps >= last:
                    return "busy"
                ready = [each for each in self.processes if each.ready and not each.paused]
                if ready:
                    self._step(ready)
                elif not self._moments:
                    return "quiet"
                elif self._moments[0][0] > until:
                    return "late"
                else:
                    self._advance()
            return "over"
        finally:
            _set_running_loop(outer)

    def close(self) -> None:
        """Put everything away."""
        with warnings.catch_warnings():
            # What never began to wait for something is no mistake of the dead.
            warnings.simplefilter("ignore", RuntimeWarning)
            for process in self.processes:
                process.bury()
        self._moments.clear()

    def _step(self, ready: list[Process]) -> None:
        dice = self._dice
        process = ready[0] if dice is None or len(ready) == 1 else dice.one_of(ready)
        self.steps += 1
        if self.before is not None:
            self.before(process)
            if not process.ready or process.paused:
                return
        _set_running_loop(process)
        process.ready.popleft().go()

    def _advance(self) -> None:
        self.now = max(self.now, self._moments[0][0])
        due: list[tuple[Process, Alarm]] = []
        while self._moments and self._moments[0][0] <= self.now:
            _, _, process, handle = heapq.heappop(self._moments)
            if process.alive and not handle.cancelled():
                due.append((process, handle))
        while due:
            number = 0 if self._dice is None or len(due) == 1 else self._dice.below(len(due))
            process, handle = due.pop(number)
            process.ready.append(handle)


class UniverseClock:
    """Fits `ports.Clock`: the time of a universe, to the moment."""

    def __init__(self, universe: Universe) -> None:
        """Take what time is read from."""
        self._universe = universe

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._universe.now

    async def sleep_until(self, at: float) -> None:
        """Return when `now()` has reached `at`; always lets others run first."""
        if at <= self._universe.now:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        woken: Future[None] = loop.create_future()
        timer = loop.call_at(at, _wake, woken)
        try:
            await woken
        finally:
            timer.cancel()


def simulate(work: Callable[[UniverseClock], Coroutine[None, None, _T]], seed: int | None = None) -> _T:
    """Run a coroutine in virtual time and return what it gives; a seed shuffles what is due at once.

    Raises `TimeoutError` when nothing can happen any more and it has not ended: it hangs.
    """
    universe = Universe(None if seed is None else Dice(seed))
    process = universe.process("main")
    try:
        task = process.create_task(work(UniverseClock(universe)))
        why = universe.run(task.done)
        if why != "over":
            raise TimeoutError(f"it hangs at virtual second {universe.now - EPOCH}: {why}")
        return task.result()
    finally:
        universe.close()


def _wake(woken: Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
