"""What a task or a run ends with when it does not succeed (RFC 7807 in the form of the Open Workflow DSL)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dirigent.model.source import Span
from dirigent.model.values import Value

# The canonical form; `lang` matches the other published forms of the same types as aliases.
STANDARD: Final = "https://serverlessworkflow.io/spec/1.0.0/errors/"

CONFIGURATION: Final = STANDARD + "configuration"
VALIDATION: Final = STANDARD + "validation"
EXPRESSION: Final = STANDARD + "expression"
AUTHENTICATION: Final = STANDARD + "authentication"
AUTHORIZATION: Final = STANDARD + "authorization"
TIMEOUT: Final = STANDARD + "timeout"
COMMUNICATION: Final = STANDARD + "communication"
RUNTIME: Final = STANDARD + "runtime"


@dataclass(frozen=True, slots=True)
class Fault:
    """An error as data. `instance` is the JSON pointer of the task, filled in by the core.

    `doubtful` says that the effect may have happened although no answer came back.
    """

    type: str
    status: int
    title: str = ""
    detail: str = ""
    instance: str = ""
    span: Span | None = None
    doubtful: bool = False

    def as_value(self) -> dict[str, Value]:
        """Return what `$error` and an error filter see."""
        texts = {"title": self.title, "detail": self.detail, "instance": self.instance}
        shown: dict[str, Value] = {"type": self.type, "status": self.status}
        shown.update({name: text for name, text in texts.items() if text})
        return shown
