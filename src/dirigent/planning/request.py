"""What planning asks of the outside, and what it gets. The caller answers in the same order."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import field
from enum import Enum
from typing import TypeAlias, TypeVar

from dirigent.model.fault import Fault
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.run.command import Question
from dirigent.model.values import Value
from dirigent.ports.resources import Proposal, Reading

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask:
    """Questions for the expression worker; the answer is a tuple of values and faults."""

    questions: tuple[Question, ...]


class Looks(Enum):
    """Whether something is only looked up: at once, or later, when more is known."""

    NOT = "not"
    NOW = "now"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Wish:
    """One instance whose future a provider is asked for. `prior` is the row as the world stands now.

    `provider` and `setup` are as in `model.plan.Change`, with values. `succeeds` is the row of what it takes
    the place of, where there is no prior because that goes; `identity` the id of what is to be taken over.
    """

    address: str
    type: str
    prior: ResourceRow | None
    config: dict[str, Value]
    provider: str = ""
    setup: dict[str, Value] = field(default_factory=dict)
    succeeds: ResourceRow | None = None
    identity: str = ""
    looks: Looks = Looks.NOT


@dataclass(frozen=True, slots=True)
class Propose:
    """Wishes for the providers, free of order; the answer is a tuple of proposals and refusals."""

    wishes: tuple[Wish, ...]


@dataclass(frozen=True, slots=True)
class Adopt:
    """Wishes for what exists already; the answer is a tuple of readings and refusals."""

    wishes: tuple[Wish, ...]


Request: TypeAlias = Ask | Propose | Adopt
Answers: TypeAlias = "tuple[Value | Fault | Proposal | Reading | Refusal, ...]"
Asking: TypeAlias = Generator[Request, Answers, T]
