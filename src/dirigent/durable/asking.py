"""What a workflow awaits: a request to the run, and what is made of the answer.

It does nothing by itself. Whoever moves the workflow takes it from the `await` and sends the answer.
"""

from __future__ import annotations

import threading
from collections.abc import Coroutine, Generator
from typing import Final, Generic, Protocol, TypeAlias, TypeVar, cast

from dirigent.durable.conversion import AS_IT_IS, Hint, from_json
from dirigent.durable.failures import NotInWorkflow, StepFailed, TimedOut
from dirigent.model import fault as faults
from dirigent.model.fault import Fault
from dirigent.model.record import dataclass
from dirigent.model.run.code import Request, Site
from dirigent.model.values import Value

Body: TypeAlias = Coroutine[object, object, object]
R_co = TypeVar("R_co", covariant=True)


class Moving(Protocol):
    """A workflow that is being moved just now; `gone` when its coroutine is only taken down."""

    @property
    def site(self) -> Site:
        """Return what it may see of its run."""
        ...

    @property
    def gone(self) -> bool:
        """Return whether nothing that it asks for counts any more."""
        ...

    def beside(self, body: Body) -> tuple[int, Ending]:
        """Take a coroutine as a branch, and return its number, and where it will be told how it ended."""
        ...


@dataclass(slots=True)
class Ending:
    """What a branch returned or raised: the author's own object, and the fault that stands for it."""

    returned: object = None
    raised: BaseException | None = None
    fault: Fault | None = None


class Here(threading.local):
    """The workflow that this thread moves just now.

    Not a context variable: a coroutine may be closed by the garbage collector in the very middle of setting
    one, and to set it again there brings the interpreter down (CPython 3.11).
    """

    moving: Moving | None = None


HERE: Final = Here()


def moving(what: str) -> Moving:
    """Return the workflow that is being moved, or raise `NotInWorkflow`."""
    found = HERE.moving
    if found is None:
        raise NotInWorkflow(f"{what} belongs into a workflow, and none is running here")
    if found.gone:
        # Its coroutine is being closed: what it would clean up now was recorded long ago, or never will be.
        raise GeneratorExit
    return found


class Asked(Generic[R_co]):
    """One thing that is awaited. `what` names it in messages; `hint` is the type of its result."""

    __slots__ = ("_hint", "_request", "what")

    def __init__(self, request: Request, what: str, hint: Hint = object) -> None:
        """Keep what is asked for."""
        self._request = request
        self._hint = hint
        self.what = what

    def __await__(self) -> Generator[Asked[R_co], Value, R_co]:
        """Ask, and return what the answer means."""
        moving(self.what)
        return self.result((yield self))

    def request(self, play: Moving) -> Request:
        """Return what the run is asked for, by the play that awaits it."""
        return self._request

    def result(self, value: Value) -> R_co:
        """Return what a stored value means."""
        hint = self._hint
        if hint is object or (hint in AS_IT_IS and type(value) is hint):
            return cast("R_co", value)
        return cast("R_co", from_json(value, hint, f"the result of {self.what}"))

    def failure(self, fault: Fault) -> BaseException:
        """Return what is raised where it is awaited."""
        return TimedOut(fault) if fault.type == faults.TIMEOUT else StepFailed(fault)
