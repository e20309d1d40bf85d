"""What a task or a run ends with when it does not succeed (RFC 7807 in the form of the Open Workflow DSL)."""

from __future__ import annotations

from typing import Final

from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Value

# The canonical form; `canonical` knows the other published forms of the same types.
STANDARD: Final = "https://serverlessworkflow.io/spec/1.0.0/errors/"

CONFIGURATION: Final = STANDARD + "configuration"
VALIDATION: Final = STANDARD + "validation"
EXPRESSION: Final = STANDARD + "expression"
AUTHENTICATION: Final = STANDARD + "authentication"
AUTHORIZATION: Final = STANDARD + "authorization"
TIMEOUT: Final = STANDARD + "timeout"
COMMUNICATION: Final = STANDARD + "communication"
RUNTIME: Final = STANDARD + "runtime"

# The standard was renamed, and its text, examples and test kit never agreed on one base.
_ALIAS_HOSTS: Final = (
    "serverlessworkflow.io",
    "www.serverlessworkflow.io",
    "open-workflow-specification.org",
    "www.open-workflow-specification.org",
)
_ALIAS_PATHS: Final = (
    "/spec/1.0.0/errors/",
    "/spec/1.0.1/errors/",
    "/spec/1.0.2/errors/",
    "/spec/1.0.3/errors/",
    "/dsl/errors/types/",
    "/dsl/errors/",
    "/errors/types/",
    "/errors/",
)
_TYPES: Final = (
    CONFIGURATION,
    VALIDATION,
    EXPRESSION,
    AUTHENTICATION,
    AUTHORIZATION,
    TIMEOUT,
    COMMUNICATION,
    RUNTIME,
)
STANDARD_NAMES: Final = tuple(kind.removeprefix(STANDARD) for kind in _TYPES)
_ALIASES: Final = {
    f"{scheme}://{host}{path}{kind.removeprefix(STANDARD)}": kind
    for kind in _TYPES
    for scheme in ("https", "http")
    for host in _ALIAS_HOSTS
    for path in _ALIAS_PATHS
}


def canonical(type_uri: str) -> str:
    """Return the canonical URI of a standard error type, and any other type as it is.

    Filters compare what this gives on both sides; a raised error keeps its type as written.
    """
    return _ALIASES.get(type_uri.strip().rstrip("/"), type_uri)


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
