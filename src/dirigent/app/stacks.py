"""What a command works in: the stack with all that surrounds it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dirigent.model.program import Program
from dirigent.model.queue import Queue
from dirigent.model.record import dataclass
from dirigent.model.stack import Secret, Stack, all_secrets
from dirigent.settings import Settings

# Secrets of a workflow that belongs to no stack are looked up under this prefix.
ENVIRONMENT_PREFIX: Final = "DIRIGENT_SECRET_"


@dataclass(frozen=True, slots=True)
class Surrounding:
    """What a command works in: the folder of the stack, and what it declares.

    `events` is where the command wants events to go, empty for nowhere.
    """

    settings: Settings
    folder: Path
    stack: Stack | None = None
    programs: tuple[Program, ...] = ()
    events: str = ""

    @property
    def secrets(self) -> Mapping[str, Secret]:
        """Return where each secret of the stack and of its modules is found."""
        return all_secrets(self.stack) if self.stack else {}


def queues_of(around: Surrounding) -> Mapping[str, Queue]:
    """Return the queues that the stack declares; without any, every name is one with the usual limits."""
    return around.stack.queues if around.stack else {}


def secret_of_workflow(name: str) -> Secret:
    """Return where a secret is found that no stack declares: one of a workflow that belongs to none."""
    variable = "".join(letter if letter.isalnum() else "_" for letter in name).upper()
    return Secret(name, "env", ENVIRONMENT_PREFIX + variable)
