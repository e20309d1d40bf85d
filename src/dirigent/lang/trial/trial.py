"""Tests of workflows that users write: what a run is given, what the world answers, what is expected.

Every part knows its place in the test file, because that is what a failure shows.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TypeAlias

from dirigent.model.fault import Fault
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Expression, Value


@dataclass(frozen=True, slots=True)
class Reply:
    """What one call is answered, and how many virtual seconds that takes.

    An `Expression` is computed over the request of the call. One in `earnest` is made for real.
    """

    result: Value | Fault | Expression
    seconds: float = 0.0
    earnest: bool = False


@dataclass(frozen=True, slots=True)
class Matcher:
    """Which calls are meant: every condition that is not empty must hold.

    `task` is a name, a JSON pointer or a position (`*` and `?` as in file names), `function` that of the
    call, `workflow` the name of the workflow that calls, `request` members that the request must have.
    """

    task: str = ""
    function: str = ""
    workflow: str = ""
    request: Value = None

    def __str__(self) -> str:
        """Return it in words, for a sentence."""
        told = [
            f"{word} `{text}`"
            for word, text in (("task", self.task), ("call", self.function), ("workflow", self.workflow))
            if text
        ]
        return " and ".join([*told, *(["this request"] if self.request is not None else [])]) or "every call"


@dataclass(frozen=True, slots=True)
class Answer:
    """A script of the world: calls that match get the replies in turn, the last one for ever after.

    With `times` it serves so many calls and no more, and must have served them all.
    """

    matcher: Matcher
    replies: tuple[Reply, ...]
    span: Span
    times: int | None = None
    doubt: str = "keyed"


@dataclass(frozen=True, slots=True)
class Happening:
    """What somebody does to the run at a virtual time, in seconds from its start.

    `what` is `cancel`, `suspend`, `resume`, `signal`, `event` or `down`. A signal has an event name and
    `value`; the `value` of an event is its attributes and data. While it is `down`, for `length` seconds, no
    engine runs.
    """

    seconds: float
    what: str
    span: Span
    name: str = ""
    value: Value = None
    length: float = 0.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value that is expected, and where that stands: at `span` its name, at `place` the value itself."""

    value: Value
    span: Span
    place: Span | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """That a task runs so often; None is once or more."""

    task: str
    times: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Requested:
    """That calls are made; `times` None is once or more."""

    matcher: Matcher
    times: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Starts:
    """That a schedule starts runs: so many, or at these times (seconds since the epoch).

    `phases` are how these end; None is as the test says of all.
    """

    count: int | None
    times: tuple[float, ...]
    phases: tuple[str | None, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Ordered:
    """That tasks of one run begin in this order; others may begin between them."""

    tasks: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Tells:
    """That an event is emitted that has these members."""

    event: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Lasting:
    """How many virtual seconds a run lasts, between two limits that it may reach."""

    least: float
    most: float
    span: Span


@dataclass(frozen=True, slots=True)
class Holds:
    """An expression that must give true of what the run came to."""

    expression: Expression
    span: Span


Expectation: TypeAlias = Ran | Starts | Ordered | Requested | Tells | Lasting | Holds


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run is expected to end: its phase, its output (whole, in part, by a JSON Schema), its error.

    `context` is the last `$context`, whole, and `keeps` what that has among other members.
    """

    phase: Wanted
    output: Wanted | None = None
    contains: Wanted | None = None
    error: Wanted | None = None
    schema: Wanted | None = None
    context: Wanted | None = None
    keeps: Wanted | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One test: its run, the world round it, and what is expected.

    `start` is the virtual time at which the run starts, in seconds since the epoch; `crash` is empty,
    `after-each-append` or `before-each-append`. `run` is its id, `metadata` what `$runtime.metadata` shows
    over what is known of the stack, `files` the texts that lie elsewhere, by URI. When it is `scheduled`, the
    schedule of the workflow runs for so many seconds instead of the workflow itself.
    """

    name: str
    span: Span
    input: Value
    ending: Ending
    start: float
    secrets: dict[str, str] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()
    happenings: tuple[Happening, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    crash: str = ""
    run: str = "test"
    metadata: dict[str, Value] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    scheduled: float | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """A test file: the workflow that it is about, and its tests in order.

    `workflow` is a path from the folder of the file, with `#NAME` behind that of a stack and `:NAME` behind
    that of a module; or `inline` is the document itself, as JSON. `others` are the paths of workflows that it
    may run, `tasks` all tasks that the file names.
    """

    file: str
    workflow: str
    span: Span
    trials: tuple[Trial, ...]
    inline: str = ""
    others: tuple[Wanted, ...] = ()
    tasks: dict[str, Span] = field(default_factory=dict)

    def only(self, part: str) -> Suite:
        """Return the suite with those tests alone whose name holds a text."""
        wanted = part.casefold()
        return replace(self, trials=tuple(each for each in self.trials if wanted in each.name.casefold()))
