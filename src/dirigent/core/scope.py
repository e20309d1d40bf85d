"""What an expression sees, computed only when it looks (DSL 1.0, "Runtime Expressions")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from dirigent import __version__
from dirigent.core.frame import Frame, Step
from dirigent.core.machine import Run
from dirigent.model.program import Call, Consume, Extended
from dirigent.model.values import AUTHORIZATION, SecretRef, SecretText, Template, Value

# How the schemes of the DSL are named in the header of a request.
SCHEMES: Final[Mapping[str, str]] = {
    "basic": "Basic",
    "bearer": "Bearer",
    "digest": "Digest",
    "oauth2": "Bearer",
    "oidc": "Bearer",
    "certificate": "Certificate",
}
ARGUMENTS: Final = (
    "context",
    "input",
    "secrets",
    "secret",
    "task",
    "workflow",
    "runtime",
    "now",
    "authorization",
)


class Scope(Mapping[str, Value]):
    """The variables of one evaluation: bound ones first, then the arguments of the DSL."""

    __slots__ = ("_frame", "_more", "_run")

    def __init__(self, run: Run, frame: Frame, more: Mapping[str, Value]) -> None:
        """See `frame` of `run`, with `more` on top (`output`, an error, a loop's item)."""
        self._run, self._frame, self._more = run, frame, more

    def __getitem__(self, name: str) -> Value:
        """Return a variable, or raise `KeyError`."""
        if name in self._more:
            return self._more[name]
        if self._frame.lazy is not None and name in self._frame.lazy:
            return self._frame.lazy[name]()
        if name in self._frame.variables:
            return self._frame.variables[name]
        return self._argument(name)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(
            dict.fromkeys([*self._more, *(self._frame.lazy or ()), *self._frame.variables, *ARGUMENTS])
        )

    def __len__(self) -> int:
        """Return how many names there are."""
        return len(list(iter(self)))

    def __contains__(self, name: object) -> bool:
        """Return whether there is such a variable, without computing it."""
        return (
            name in self._more
            or (self._frame.lazy is not None and name in self._frame.lazy)
            or name in self._frame.variables
            or name in ARGUMENTS
        )

    def _argument(self, name: str) -> Value:
        run, frame = self._run, self._frame
        match name:
            case "context":
                found = frame.thread.context
            case "input":
                found = frame.input
            case "secrets" | "secret":
                found = {name: SecretText((SecretRef(name),)) for name in run.program.secrets}
            case "task":
                found = _task(frame)
            case "workflow":
                found = _workflow(run)
            case "runtime":
                found = _runtime(run)
            case "authorization":
                found = _authorization(frame)
            case "now":
                found = run.now
            case _:
                raise KeyError(name)
        return found


def _runtime(run: Run) -> Value:
    metadata = dict(run.created.metadata) if run.created else {}
    return {"name": "dirigent", "version": __version__, "metadata": metadata}


def _task(frame: Frame) -> Value:
    owner = _owner(frame)
    task = owner.task
    if task is None:
        return None
    return {
        "name": task.name,
        "reference": task.pointer,
        "definition": task.definition,
        "input": owner.raw,
        "output": owner.output if owner.step >= Step.OUTPUT else None,
        "startedAt": moment(owner.started_at),
    }


def described(frame: Frame) -> Value:
    """Return the task as the condition of an extension sees it: described, and as it is written.

    The published example asks `$task.with.endpoint`, which is a member of the definition.
    """
    found = _task(frame)
    definition = found.get("definition") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(definition, dict):
        return found
    return {**definition, **found}


def _authorization(frame: Frame) -> Value:
    """Return how the work of the task is authorised: the scheme, and the parameter as a reference.

    The performer that resolves the authorisation puts the parameter into its request, and nobody else can.
    """
    node = _owner(frame).node
    work = node.work if isinstance(node, Extended) else node
    call = work.call if isinstance(work, Consume) else work
    request = call.request if isinstance(call, Call) else None
    scheme = _scheme(request)
    if scheme is None:
        return None
    return {"scheme": SCHEMES.get(scheme, scheme), "parameter": SecretText((SecretRef(AUTHORIZATION),))}


def _scheme(request: Template) -> str | None:
    """Return the scheme of the first authentication that a request has, at its top or one level below."""
    if not isinstance(request, dict):
        return None
    for each in (request, *request.values()):
        policy = each.get("authentication") if isinstance(each, dict) else None
        if isinstance(policy, dict) and isinstance(policy.get("scheme"), str):
            return str(policy["scheme"])
    return None


def _owner(frame: Frame) -> Frame:
    owner = frame
    while owner.task is None and owner.parent is not None:
        owner = owner.parent
    return owner


def _workflow(run: Run) -> Value:
    created = run.created
    return {
        "id": run.id,
        "definition": run.program.definition,
        "input": created.input if created else None,
        "startedAt": moment(created.at if created else run.now),
    }


def moment(at: float) -> dict[str, Value]:
    """Return a time as the DSL describes it: ISO 8601 in UTC, and seconds and milliseconds since 1970."""
    text = datetime.fromtimestamp(at, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"iso8601": text, "epoch": {"seconds": int(at), "milliseconds": int(at * 1000)}}
