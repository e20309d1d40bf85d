"""The few protocols by which the pure floors and the engine reach the outside.

Adapters fit them; nobody subclasses. Plain methods are pure given their arguments; async ones act.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol, TypeAlias, runtime_checkable

from dirigent.model.events.listening import Event, Tell
from dirigent.model.fault import Fault
from dirigent.model.ids import Digest, PlanId, RunId
from dirigent.model.plan import Plan
from dirigent.model.problem import Problem, Refusal
from dirigent.model.program import Code, Program
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.run.code import Move, Site
from dirigent.model.run.command import Question
from dirigent.model.run.effect import Order, Outcome
from dirigent.model.run.journal import Ended, Fact, ResourceChanged
from dirigent.model.run.start import Start
from dirigent.model.run.summary import RunSummary
from dirigent.model.values import Value


class ExpressionFailed(Exception):
    """An expression has no value here; the message says why, with the offending value."""


class Compiled(Protocol):
    """A checked expression. `local` is False when only the worker can evaluate it."""

    @property
    def local(self) -> bool:
        """Return whether `evaluate` may be called."""
        ...

    @property
    def variables(self) -> frozenset[str]:
        """Return the names of the free variables, without the dollar sign."""
        ...

    @property
    def references(self) -> frozenset[tuple[str, str | None]]:
        """Return each free variable with the member taken of it: `("resources", "db")`, None if dynamic."""
        ...

    @property
    def paths(self) -> frozenset[tuple[str | None, ...]]:
        """Return each use of a free variable with all steps: `("resources", "web", None, "url")`.

        None stands for a step that is no constant name: an index, a key that is computed, `[]`.
        """
        ...

    def evaluate(self, dot: Value, variables: Mapping[str, Value]) -> Value:
        """Return the value, or raise `ExpressionFailed`. Bounded in steps and size."""
        ...


class Language(Protocol):
    """The expression language. Compiling is cached by text."""

    def compile(self, text: str) -> Compiled:
        """Return the compiled text, or raise `ExpressionFailed` with the syntax error."""
        ...


class Schemas(Protocol):
    """JSON Schema validation. Remote references are never fetched."""

    def violation(self, schema: Value, value: Value) -> str | None:
        """Return the first violation in words with its path, or None when the value is valid."""
        ...


class Oracle(Protocol):
    """Evaluates what the in-process language cannot: a libjq worker that may be killed."""

    async def answer(self, questions: Sequence[Question]) -> tuple[Value | Fault, ...]:
        """Return one answer for each question, in order; a worker that died gives faults."""
        ...


AWAKE: Final = 0.0
"""When a run has something to do that is under way or just due: it is taken up whenever an engine opens."""

NEVER: Final = math.inf
"""When a run has nothing to do before a person says so."""

Waking: TypeAlias = tuple[float, RunId]
"""When a run next has something to do (seconds since the epoch, `AWAKE` or `NEVER`), and which."""


@dataclass(frozen=True, slots=True)
class Past:
    """What a store knows of a run: a snapshot of its first `position` facts, and those that came after.

    Without a snapshot `position` is 0 and `facts` are all there are.
    """

    facts: list[Fact]
    position: int = 0
    snapshot: bytes | None = None


class Play(Protocol):
    """A coroutine of a workflow of code. Moving it does nothing in the world; it only says what it wants."""

    @property
    def place(self) -> str:
        """Return `file:line` of the await where it stands; empty when it stands at none."""
        ...

    def go(self, answer: Value) -> Move:
        """Begin, or go on with what was awaited."""
        ...

    def throw(self, fault: Fault) -> Move:
        """Go on with the failure of what was awaited."""
        ...

    def stop(self) -> Move:
        """Tell it that it is stopped, where it stands."""
        ...

    def branch(self, number: int) -> Play:
        """Return a coroutine that it wants to have beside it."""
        ...


class Plays(Protocol):
    """Workflows of code, as this process finds them."""

    def check(self, code: Code) -> None:
        """Raise `Refusal` (`E4031`) when there is no such workflow."""
        ...

    def play(self, code: Code, given: Value, site: Site) -> Play:
        """Return a run of it, before its first line. Raises `Refusal` (`E4031`)."""
        ...


class Journal(Protocol):
    """Appends are atomic, ordered and durable when they return.

    `expected` is the number of facts that the caller has seen: a second writer is refused
    (`E5001`), not merged; so is a writer whose fence is no longer the newest (`E5002`).
    Tables beside the journal change in the same transaction as the fact that causes it.
    """

    def append(
        self,
        run: RunId,
        expected: int,
        facts: Sequence[Fact],
        wake_at: float = AWAKE,
        tells: Sequence[Tell] = (),
    ) -> Awaitable[None]:
        """Store the facts at `expected`, or raise `Refusal`. Nothing of it is visible before all is.

        What a run `tells` goes into the log of events with them, or neither is there.

        `wake_at` is when the run next has something to do, as these facts leave it: it replaces what was
        said before, also when there are no facts. A run that has ended never has.
        """
        ...

    async def read(self, run: RunId, since: int = 0) -> list[Fact]:
        """Return the facts from position `since` on, oldest first; empty for a run that does not exist."""
        ...

    async def recall(self, runs: Sequence[RunId]) -> list[Past | Refusal]:
        """Return what is known of each run, in their order: one question for all of them.

        What cannot be read (`E5003`, `E5008`) is the refusal of that run alone; a run that does not
        exist has no facts.
        """
        ...

    async def wakings(self, after: Waking, limit: int) -> list[Waking]:
        """Return the next wakings of open runs behind `after`, by time, then by id."""
        ...

    async def keep_snapshot(self, run: RunId, position: int, content: bytes) -> None:
        """Keep what the first `position` facts of an open run come to, in place of what was kept before.

        A snapshot is a cache: a store may drop it whenever it likes, and does when the run ends.
        """
        ...

    async def keep(self, program: Program) -> Digest:
        """Store a definition under its content hash; the same content is stored once."""
        ...

    async def definition(self, digest: Digest) -> Program:
        """Return a stored definition, or raise `Refusal` (`E5004`)."""
        ...


class Shelf(Protocol):
    """What can be asked of a store beside journals."""

    async def runs(self, *, only_open: bool = False, limit: int = 50) -> list[RunSummary]:
        """Return runs, newest first."""
        ...

    async def run(self, run: RunId) -> RunSummary | None:
        """Return one run."""
        ...

    async def rows(self) -> list[ResourceRow]:
        """Return every resource instance, by address."""
        ...

    async def row(self, address: str) -> ResourceRow | None:
        """Return one resource instance."""
        ...

    async def history(self, address: str) -> list[tuple[float, RunId, ResourceRow | None]]:
        """Return what one instance was and is, oldest first; None where it was deleted."""
        ...

    async def keep_plan(self, plan: Plan) -> None:
        """Store a plan under its id."""
        ...

    async def plan(self, plan: PlanId) -> Plan | None:
        """Return a stored plan."""
        ...


class Performer(Protocol):
    """Carries out the effects of one function (`http`, `shell`, `resource` and so on).

    A crash of the engine may come at any line of it; the same order then comes again, `doubtful`.
    """

    async def perform(self, order: Order) -> Outcome:
        """Do it and say how it ended. Cancelling this task leaves the effect alone, as a crash does."""
        ...

    async def abandon(self, order: Order) -> None:
        """Stop the effect in the world, if it can be stopped, and return when it is over."""
        ...


@runtime_checkable
class Prompt(Protocol):
    """A performer that may know the answer at once: then no task is made for the effect."""

    def answer(self, order: Order) -> Outcome | None:
        """Do it and say how it ended, or return None before anything is done: then `perform` does it.

        It runs on the event loop, so it neither waits nor blocks.
        """
        ...


@runtime_checkable
class Repeatable(Protocol):
    """A performer of effects that may be done again, and that nobody misses when they never were."""

    def repeatable(self, request: Value) -> bool:
        """Return whether the effect of this request leaves nothing behind, or the same each time.

        The engine does not wait for the journal before it begins such an effect. After a crash it may be
        that nothing tells of it, and that it is wanted with another request, or not at all.
        """
        ...


class Payloads(Protocol):
    """Where large values lie, by the SHA-256 of their content."""

    @property
    def any(self) -> bool:
        """Return whether there is any."""
        ...

    def put(self, content: bytes) -> Digest | None:
        """Keep content; durable on return. None where no large value may be kept just now. Blocks."""
        ...

    def get(self, digest: str, whose: str = "") -> bytes:
        """Return content, or raise `Refusal` (`E5070` missing, `E5071` damaged). Blocks."""
        ...


class Vault(Protocol):
    """Secret values: revealed only inside a performer, redacted from all that comes back."""

    def reveal(self, value: Value) -> Value:
        """Return the value with every `SecretText` replaced by its text, or raise `Refusal` (`E6001`)."""
        ...

    def redact(self, value: Value) -> Value:
        """Return the value with every revealed secret in any string replaced by `(secret NAME)`."""
        ...


class Clock(Protocol):
    """The only source of time above the pure floors."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        ...

    async def sleep_until(self, at: float) -> None:
        """Return when `now()` has reached `at`."""
        ...


Heard: TypeAlias = Callable[[RunId, Program, Sequence[Fact]], None]
"""Called with facts of a run, in order, after they became durable."""


class Conductor(Protocol):
    """Starts and steers runs, and tells what happens to them."""

    async def start(self, start: Start) -> RunId:
        """Create a run; durable when this returns."""
        ...

    async def tell(self, run: RunId, fact: Fact) -> None:
        """Put a person's word into a run."""
        ...

    async def take_events(self, events: Sequence[Event]) -> list[bool]:
        """Take events in from outside; return of each whether it is new. Durable when this returns."""
        ...

    async def keep_plan(self, plan: Plan) -> None:
        """Store a plan."""
        ...

    async def keep(self, program: Program) -> Digest:
        """Store a definition under its content hash."""
        ...

    async def left_out(self) -> dict[RunId, Problem]:
        """Return the open runs that the engine could not take up, and why."""
        ...

    async def wait(self, run: RunId) -> Ended:
        """Return how a run ended, and hear nothing of it before."""
        ...

    async def follow(self, run: RunId, heard: Heard) -> Ended:
        """Return how a run ended. `heard` gets its history first, then what comes."""
        ...


@runtime_checkable
class Leaving(Protocol):
    """A performer that can say what an effect has left behind which was no longer wanted."""

    async def leave(self, order: Order) -> Sequence[ResourceChanged]:
        """Stop the effect as `abandon` does, and return what of resources has changed all the same."""
        ...
