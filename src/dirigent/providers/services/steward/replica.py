"""One replica: kept running, checked, restarted with growing delays, until it is ended or given up."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Final

from dirigent.providers.services.definition import Definition
from dirigent.providers.services.folder import MARK
from dirigent.providers.services.logs import LogWriter
from dirigent.providers.services.steward import ports
from dirigent.providers.services.steward.health import ailment
from dirigent.providers.services.steward.process import Program, ending
from dirigent.shim import watch

REPLICA_MARK: Final = "DIRIGENT_REPLICA"
TAIL_LINES: Final = 20
# Until it is well for the first time, a replica is looked at more often than later.
EAGER_SECONDS: Final = 0.05
# A replica on trial that ends so often before it was ever well will not become so.
TRIAL_ENDS: Final = 3


class Condition(Enum):
    """How a replica stands. WAITING: for its restart. GIVEN_UP: it is not restarted any more."""

    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    WAITING = "waiting"
    GIVEN_UP = "given-up"
    ENDED = "ended"


class Replica:
    """A replica of a definition. `on_trial`: it must become well soon, or it is given up."""

    def __init__(
        self, number: int, definition: Definition, log: LogWriter, owner: str, changed: Callable[[], None]
    ) -> None:
        """Prepare; `owner` marks its processes, and `changed` is called when its condition does."""
        self.number = number
        self.definition = definition
        self.condition = Condition.STARTING
        self.port = 0
        self.restarts = 0
        self.ailment = "has not been checked yet"
        self._late = ""
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self.on_trial = True
        self._log = log
        self._owner = owner
        # Of this steward alone: one that ends late must not take its successor's replicas along.
        self._mark = f"{owner}#{number}@{os.getpid()}"
        self._changed = changed
        self._program: Program | None = None
        self._life: asyncio.Task[None] | None = None
        self._turned = asyncio.Event()

    def begin(self) -> None:
        """Start it and keep it."""
        self._life = asyncio.get_running_loop().create_task(self._live())

    async def settled(self) -> bool:
        """Return whether it is well, as soon as it is, or is given up, or its time to become so is over."""
        try:
            async with asyncio.timeout(self.definition.health.within_seconds):
                while self.condition not in (Condition.HEALTHY, Condition.GIVEN_UP):
                    self._turned.clear()
                    await self._turned.wait()
        except TimeoutError:
            seconds = self.definition.health.within_seconds
            # Apart from the ailment, which is found anew while this is told.
            self._late = f"was not healthy within {seconds:g} s: "
        return self.condition is Condition.HEALTHY

    async def end(self) -> None:
        """End it with its grace, and whatever it started."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.gather(self._life, return_exceptions=True)
        if self._program is not None:
            await self._program.end(self.definition.grace_seconds)
        watch.kill_bearing(REPLICA_MARK, self._mark)
        self._turn(Condition.ENDED)

    def complaint(self) -> str:
        """Return what is wrong with it, with the end of its output."""
        words = f"replica {self.number} {self._late}{self.ailment}"
        return "\n".join([words, *(f"  | {line}" for line in self.tail)])

    def record(self) -> dict[str, object]:
        """Return how it stands, for the status file."""
        return {
            "number": self.number,
            "pid": self._program.pid if self._program and self._program.status is None else None,
            "port": self.port,
            "state": self.condition.value,
            "restarts": self.restarts,
            "ailment": None if self.condition is Condition.HEALTHY else self.ailment,
        }

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = loop.time()
            await self._once()
            watch.kill_bearing(REPLICA_MARK, self._mark)
            restart = self.definition.restart
            failures = 1 if loop.time() - began >= restart.reset_seconds else failures + 1
            if self._hopeless(failures):
                self._say(f"given up: {self.ailment}")
                self._turn(Condition.GIVEN_UP)
                return
            delay = restart.delay_after(failures)
            self._say(f"{self.ailment}; starts again in {delay:g} s")
            self._turn(Condition.WAITING)
            await asyncio.sleep(delay)
            self.restarts += 1

    def _hopeless(self, failures: int) -> bool:
        most = self.definition.restart.max
        return (self.on_trial and failures >= TRIAL_ENDS) or (most is not None and failures > most)

    async def _once(self) -> None:
        """Run it once, until it ends or is ended for being unwell."""
        self._turn(Condition.STARTING)
        try:
            self.port = ports.choose(ports.REPLICAS, f"{self._mark}.{self.restarts}")
            self._program = self._begin_program()
        except ports.NoPort as reason:
            self.ailment = f"cannot start: {reason}"
            return
        except OSError as reason:
            self.ailment = f"cannot start: {reason.strerror}: {reason.filename}"
            return
        checks = asyncio.get_running_loop().create_task(self._check())
        try:
            await asyncio.wait(
                (checks, ended := asyncio.ensure_future(self._program.ended())),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            checks.cancel()
        if ended.done():
            self.ailment = ending(ended.result())
        else:
            self._turn(Condition.UNHEALTHY)
            self._say(f"is ended because it is not healthy: {self.ailment}")
            await self._program.end(self.definition.grace_seconds)

    def _begin_program(self) -> Program:
        marks = {MARK: self._owner, REPLICA_MARK: self._mark}
        variables = {**self.definition.variables(self.port), **marks}
        argv = self.definition.filled(self.definition.command, self.port)
        return Program.begin(argv, variables, self.definition.folder, self._hear)

    async def _check(self) -> None:
        """Return when it is unwell for too long: before it was well, or too many checks in a row after."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.definition.health.within_seconds
        good = bad = 0
        while True:
            health = self.definition.health
            pause = health.interval_seconds
            if health.kind == "alive":
                # It is well when it has lived through one interval.
                await asyncio.sleep(pause)
            found = await ailment(self.definition, self.port, self._hear)
            good, bad = (good + 1, 0) if found is None else (0, bad + 1)
            self.ailment = found or ""
            if good >= health.healthy:
                self.on_trial = False
                self._turn(Condition.HEALTHY)
            elif bad >= health.unhealthy if self.condition is Condition.HEALTHY else loop.time() > until:
                return
            if self.condition is Condition.STARTING:
                pause = min(pause, EAGER_SECONDS)
            await asyncio.sleep(pause)

    def _turn(self, condition: Condition) -> None:
        if condition is not self.condition:
            self.condition = condition
            self._turned.set()
            self._changed()

    def _hear(self, stream: str, text: str) -> None:
        self.tail.append(self._log.write(self.number, stream, text))

    def _say(self, text: str) -> None:
        self._log.write(None, "steward", f"replica {self.number} {text}")
