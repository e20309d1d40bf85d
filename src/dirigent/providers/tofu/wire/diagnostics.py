"""What a provider has to say about a call: errors and warnings, each with the path that it means."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import Message

from dirigent.model.record import dataclass
from dirigent.providers.tofu.values.paths import Path, shown

ERROR = 1


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One of them. `path` is empty when it means the whole."""

    severe: bool
    summary: str
    detail: str = ""
    path: Path = ()

    def __str__(self) -> str:
        """Return it as people read it, without severity and place."""
        return (
            f"{self.summary}: {self.detail}" if self.detail and self.detail != self.summary else self.summary
        )

    @property
    def label(self) -> str:
        """Return the path as a stack writes it."""
        return shown(self.path)


def diagnostics_of(messages: Iterable[Message]) -> tuple[Diagnostic, ...]:
    """Return what stands in an answer."""
    return tuple(
        Diagnostic(
            each.severity == ERROR,
            # The first kit puts a path before it, which may be empty.
            str(each.summary).strip().removeprefix(": "),
            str(each.detail).strip(),
            path_of(each.attribute),
        )
        for each in messages
    )


def path_of(message: Message) -> Path:
    """Return a path of the wire; what it does not say in a way known here ends it."""
    found: list[str | int] = []
    for step in message.steps:
        if step.HasField("attribute_name"):
            found.append(str(step.attribute_name))
        elif step.HasField("element_key_string"):
            found.append(str(step.element_key_string))
        elif step.HasField("element_key_int"):
            found.append(int(step.element_key_int))
        else:
            break
    return tuple(found)
