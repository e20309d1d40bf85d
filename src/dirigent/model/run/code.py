"""What a workflow of code asks for, and how moving it can come out: values only.

A coroutine asks for one thing at a time and is moved by the answer. What it asks for becomes a frame
of the run, at a position that is made of its name.
"""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from dirigent.model.fault import Fault
from dirigent.model.program import Call, Wait
from dirigent.model.record import dataclass
from dirigent.model.values import Value


@dataclass(frozen=True, slots=True)
class Again:
    """How often a call is made again, and when: the n-th time after `delay` * `factor` ** (n - 1) seconds.

    `jitter` is added in part, drawn from the run's identity. `total_seconds` counts from the first attempt.
    """

    retries: int
    delay: float = 1.0
    factor: float = 2.0
    delay_max: float = 60.0
    jitter: float = 0.0
    total_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Repeatedly:
    """A call that is made again when it fails for a reason that may pass. `seconds` is for each attempt."""

    call: Call
    again: Again
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait for an event of this name; one that came before is taken at once."""

    event: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A coroutine beside others; its play is asked for by `number`."""

    number: int


@dataclass(frozen=True, slots=True)
class Gather:
    """Several at once. The output lists theirs in order; the first fault stops the others."""

    members: tuple[Request | Branch, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that a coroutine awaits. `name` makes its position: `/name`, `/name~2` for the second.

    `input` is what a literal call is given. `seconds` is a time-out.
    """

    name: str
    node: Call | Repeatedly | Wait | Listen | Gather
    input: Value = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """The coroutine is over, with this value."""

    value: Value


@dataclass(frozen=True, slots=True)
class Raised:
    """The coroutine is over, with this fault."""

    fault: Fault


Wanted: TypeAlias = Repeatedly | Listen | Gather | Branch
Move: TypeAlias = Request | Returned | Raised


@dataclass(slots=True, eq=False)
class Site:
    """What a workflow of code may see of its run while it is moved. The core keeps it true.

    A change of the text is taken by a run that comes to it first `ahead` of its journal, or that has
    `recorded` it. `answers` are those given so far, `fresh` those that are still to be recorded;
    `drawn` counts what was drawn by chance.
    """

    run: str
    now: float = 0.0
    ahead: bool = True
    drawn: int = 0
    recorded: frozenset[str] = frozenset()
    answers: dict[str, bool] = field(default_factory=dict)
    fresh: list[str] = field(default_factory=list)

    def patched(self, name: str) -> bool:
        """Return whether the run goes the new way at a change of the text; the first answer stands."""
        known = self.answers.get(name)
        if known is None:
            known = self.answers[name] = self.ahead or name in self.recorded
            if known:
                self.fresh.append(name)
        return known
