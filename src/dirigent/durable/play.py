"""Moves a workflow's coroutine with `send`, and tells what it came to. No event loop has a part in it.

A coroutine that nobody needs any more is closed without a word: a run that leaves memory, or is
looked at only, must not do what its author wrote for an end that has not come.
"""

from __future__ import annotations

import traceback
import weakref
from pathlib import Path
from types import CoroutineType, FrameType, TracebackType
from typing import Final, Self

from dirigent.durable.asking import HERE, Asked, Body, Ending, Moving
from dirigent.durable.conversion import to_json
from dirigent.durable.failures import Cancelled, NotDurable, NotStorable, StepFailed, TimedOut
from dirigent.model import fault as faults
from dirigent.model.fault import Fault
from dirigent.model.run.code import Move, Raised, Returned, Site
from dirigent.model.source import Span
from dirigent.model.values import Value

OURS: Final = str(Path(__file__).parent)


class Gone:
    """Stands for a workflow while its coroutine is closed."""

    def __init__(self, site: Site) -> None:
        """Keep the last that was seen of the run."""
        self.site = site
        self.gone = True

    def beside(self, body: Body) -> tuple[int, Ending]:
        """Take no branch: none will begin."""
        raise GeneratorExit


class CoroutinePlay:
    """A coroutine that is moved: the workflow itself, or a branch of it (fits `ports.Play`).

    A branch may return anything and raise anything: it goes to whoever wrote it, not into a journal.
    """

    __slots__ = (
        "__weakref__",
        "_awaiting",
        "_body",
        "_name",
        "_top",
        "branches",
        "ending",
        "gone",
        "site",
    )

    def __init__(self, body: Body, site: Site, name: str, *, top: bool = True) -> None:
        """Take a coroutine before its first line; `name` is that of the workflow."""
        self._body = body
        self._name = name
        self._top = top
        self._awaiting: Asked[object] | None = None
        self.site = site
        self.gone = False
        self.branches: list[CoroutinePlay] = []
        self.ending = Ending()
        weakref.finalize(self, _close, body, site).atexit = False

    @property
    def place(self) -> str:
        """Return `file:line` of the innermost line of the author where it stands."""
        found = _line(self._body)
        return f"{_shown(found.f_code.co_filename)}:{found.f_lineno}" if found else ""

    def go(self, answer: Value) -> Move:
        """Begin, or go on with what was awaited."""
        with _Moved(self) as moved:
            moved.asked = self._body.send(answer)
        return self._move(moved)

    def throw(self, fault: Fault) -> Move:
        """Go on with the failure of what was awaited."""
        failure = self._awaiting.failure(fault) if self._awaiting else StepFailed(fault)
        return self._thrown(failure)

    def stop(self) -> Move:
        """Tell it that it is stopped, where it stands."""
        return self._thrown(Cancelled())

    def branch(self, number: int) -> CoroutinePlay:
        """Return a coroutine that it wants to have beside it."""
        return self.branches[number]

    def beside(self, body: Body) -> tuple[int, Ending]:
        """Take a coroutine of the author as a branch; return its number and how it will have ended.

        The author's coroutine must not hold the play itself: both would never be let go.
        """
        branch = CoroutinePlay(body, self.site, self._name, top=False)
        self.branches.append(branch)
        return len(self.branches) - 1, branch.ending

    def _thrown(self, failure: BaseException) -> Move:
        with _Moved(self) as moved:
            moved.asked = self._body.throw(failure)
        return self._move(moved)

    def _move(self, moved: _Moved) -> Move:
        """Return what moving the coroutine came to."""
        failure = moved.failure
        if failure is None:
            asked = moved.asked
            if isinstance(asked, Asked):
                self._awaiting = asked
                return asked.request(self)
            return self._thrown(NotDurable(_foreign(self._body, asked)))
        self._awaiting = None
        if isinstance(failure, StopIteration):
            return self._over(failure.value)
        return self._failed(failure)

    def _over(self, value: object) -> Move:
        self.ending.returned = value
        if not self._top:
            return Returned(None)
        try:
            return Returned(to_json(value, f"what `{self._name}` returns"))
        except NotStorable as refusal:
            return Raised(Fault(faults.RUNTIME, 500, "NotStorable", str(refusal)))

    def _failed(self, failure: BaseException) -> Move:
        fault = fault_of(failure)
        self.ending.raised, self.ending.fault = failure, fault
        return Raised(fault)


class Misfit:
    """Stands for a workflow whose input does not fit: it fails before its first line (fits `ports.Play`)."""

    def __init__(self, words: str) -> None:
        """Keep what does not fit."""
        self._end = Raised(Fault(faults.VALIDATION, 400, "Validation Error", words))
        self.place = ""

    def go(self, answer: Value) -> Move:
        """Fail."""
        return self._end

    def throw(self, fault: Fault) -> Move:
        """Fail."""
        return self._end

    def stop(self) -> Move:
        """Fail."""
        return self._end

    def branch(self, number: int) -> CoroutinePlay:
        """Have none."""
        raise IndexError(number)


class _Moved:
    """The stretch in which a coroutine runs: what it asks for, or how it ended.

    All exceptions of the author's text are answers here; what is none (an interrupt) rises.
    """

    __slots__ = ("_before", "_play", "asked", "failure")

    def __init__(self, play: CoroutinePlay) -> None:
        self._play = play
        self._before: Moving | None = None
        self.asked: object = None
        self.failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._before, HERE.moving = HERE.moving, self._play
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> bool:
        HERE.moving = self._before
        self.failure = failure
        return isinstance(failure, Exception | Cancelled)


def _close(body: Body, site: Site) -> None:
    """Take a coroutine down. Its `finally` blocks run, but nothing that they ask for happens."""
    with _Closing(site):
        body.close()


class _Closing:
    """The stretch in which a coroutine is closed; whatever its text raises then is of no interest."""

    __slots__ = ("_before", "_site")

    def __init__(self, site: Site) -> None:
        self._site = site
        self._before: Moving | None = None

    def __enter__(self) -> None:
        self._before, HERE.moving = HERE.moving, Gone(self._site)

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> bool:
        HERE.moving = self._before
        return isinstance(failure, Exception | Cancelled | GeneratorExit)


def fault_of(failure: BaseException) -> Fault:
    """Return what a run or a step ends with that ends with this exception, with the author's line."""
    match failure:
        case StepFailed(fault=fault) | TimedOut(fault=fault):
            return fault
        case Cancelled():
            return Fault(faults.RUNTIME, 500, "Stopped", "it was stopped")
        case _:
            pass
    words = str(failure) or type(failure).__name__
    span = None
    for frame, line in traceback.walk_tb(failure.__traceback__):
        name = frame.f_code.co_filename
        if not name.startswith(OURS):
            span = Span(_shown(name), line, 1, line, 1)
    return Fault(faults.RUNTIME, 500, type(failure).__name__, words, span=span)


def _line(body: object) -> FrameType | None:
    """Return the innermost frame of the author among those that wait for each other."""
    found = None
    while isinstance(body, CoroutineType):
        found = body.cr_frame or found
        body = body.cr_await
    return found


def _shown(name: str) -> str:
    """Return a file as people know it: below the folder where they work, if it is there."""
    path = Path(name)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else name


def _foreign(body: object, asked: object) -> str:
    """Say what was awaited that is not ours, and what to do instead."""
    name, where = f"a `{type(asked).__name__}`", ""
    while isinstance(body, CoroutineType):
        frame = body.cr_frame
        if frame is not None:
            name = f"`{body.__qualname__}` of `{Path(frame.f_code.co_filename).name}`"
            where = where or f"{_shown(frame.f_code.co_filename)}:{frame.f_lineno}"
        body = body.cr_await
    return (
        f"at {where} the workflow awaits {name}, which does not wait in the journal: await a step, or"
        " `sleep`, `gather`, `within` and `wait_event` of dirigent; what talks to the world is a step"
    )
