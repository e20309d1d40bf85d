"""What a command asks of an engine that plans for it, and what it is answered.

A question says where the caller stands and what he was given: the engine reads what he could read.
"""

from __future__ import annotations

from dataclasses import field

from dirigent.model.plan import EVERYTHING, Plan, Selection
from dirigent.model.problem import Problem
from dirigent.model.record import dataclass
from dirigent.model.values import Value


@dataclass(frozen=True, slots=True)
class Question:
    """`want` is `plan`, `carry` (that plan out) or `settle` (what is left to do when that has ended).

    `file` is the stack file as the caller named it, `folder` where he stood. `flags`, `files` and
    `environment` are inputs of the stack: by name, by file and name, and the variables that give some.
    `secrets` says that it matters whether the plan's secrets are known. `plan` is the id of the plan that
    is meant, `by` who wants it, and `phase` how its run ended, empty where there was nothing to do.
    """

    want: str
    file: str = ""
    folder: str = ""
    flags: dict[str, str] = field(default_factory=dict)
    files: dict[str, dict[str, Value]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    refresh: str = ""
    age: float = 0.0
    selection: Selection = EVERYTHING
    secrets: bool = False
    plan: str = ""
    by: str = ""
    phase: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`refused` is what is answered instead of anything else; `warnings` are of the stack.

    `lacking` is what keeps the engine from carrying the plan out: secrets or providers that it does not have.
    `run` is that which carries it out, and `schedules` what became of each, by name.
    """

    plan: Plan | None = None
    refused: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    lacking: tuple[Problem, ...] = ()
    run: str = ""
    outputs: dict[str, Value] = field(default_factory=dict)
    schedules: dict[str, str] = field(default_factory=dict)

    @property
    def planned(self) -> Plan:
        """Return the plan of an answer that must have one. Raises `TypeError`."""
        if self.plan is None:
            raise TypeError("the answer has no plan")
        return self.plan
