"""Workflows: coroutine functions that the engine moves, and runs again after a crash."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import cached_property
from typing import Final, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from dirigent.durable.asking import Asked
from dirigent.durable.conversion import Form, form_of, to_json
from dirigent.durable.failures import ChildFailed, TimedOut
from dirigent.durable.naming import module_of, name_of
from dirigent.durable.play import CoroutinePlay
from dirigent.durable.waiting import seconds_of
from dirigent.model import fault as faults
from dirigent.model.fault import Fault
from dirigent.model.ids import digest_of
from dirigent.model.program import Call, Code, OnDoubt, Program, Task
from dirigent.model.run.code import Request, Site
from dirigent.model.values import Value

P = ParamSpec("P")
R = TypeVar("R")
NAMESPACE: Final = "python"
CALL: Final = Call("workflow", None, OnDoubt.HOLD, literal=True)


class _Maker(Protocol):
    """A coroutine function, as it is called with what the journal holds."""

    def __call__(self, **members: object) -> Coroutine[object, object, object]:
        """Return the coroutine."""
        ...


class Child(Asked[R]):
    """A workflow with its arguments: a workflow awaits it as a child run, `Orchestra.start` starts it."""

    __slots__ = ("input", "workflow")

    def __init__(self, workflow: Workflow[P, R], given: Value) -> None:
        """Take a workflow and the input of a run of it."""
        request: dict[str, Value] = {
            "namespace": NAMESPACE,
            "name": workflow.reference,
            "version": "latest",
            "input": given,
        }
        super().__init__(Request(workflow.name, CALL, request), f"`{workflow.name}`", workflow.form.result)
        self.workflow = workflow
        self.input = given

    def failure(self, fault: Fault) -> BaseException:
        """Return what is raised where it is awaited."""
        return TimedOut(fault) if fault.type == faults.TIMEOUT else ChildFailed(fault)


class Workflow(Generic[P, R]):
    """A durable function. Called in another workflow it starts a child run. `function` is the original."""

    def __init__(self, function: Callable[P, Coroutine[object, object, R]], limit: float | None) -> None:
        """Wrap a coroutine function."""
        if not inspect.iscoroutinefunction(function):
            raise TypeError(f"a workflow is an `async def`, and `{function.__qualname__}` is none")
        self.function = function
        self.module = module_of(function)
        self.qualname = name_of(function)
        self.name = function.__name__
        self.limit = limit
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__

    @property
    def reference(self) -> str:
        """Return under which name another process finds it: `module:name`."""
        return f"{self.module}:{self.qualname}"

    @cached_property
    def form(self) -> Form:
        """Return its parameters and its result."""
        return form_of(self.function)

    @cached_property
    def program(self) -> Program:
        """Return what a run of it executes."""
        text = textwrap.dedent(inspect.getsource(self.function))
        digest = digest_of(text.encode())
        node = Code(self.module, self.qualname, digest, self.limit)
        return Program(self.name, NAMESPACE, digest, Task(self.name, "", node))

    def given(self, *args: P.args, **kwargs: P.kwargs) -> Value:
        """Return arguments as the input of a run: an object with a member for each parameter."""
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        return {name: to_json(each, f"`{name}` of `{self.name}`") for name, each in bound.arguments.items()}

    def play(self, given: Value, site: Site) -> CoroutinePlay:
        """Return a run of it, before its first line. Raises `NotStorable` for an input that does not fit."""
        members = self.form.members(given, f"`{self.name}`")
        return CoroutinePlay(cast("_Maker", self.function)(**members), site, self.name)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Child[R]:
        """Return it with arguments: a child run that a workflow must await, or what is to be started."""
        return Child(self, self.given(*args, **kwargs))


@overload
def workflow(function: Callable[P, Coroutine[object, object, R]], /) -> Workflow[P, R]: ...
@overload
def workflow(*, timeout: float | timedelta | None = None) -> Decorator: ...
def workflow(
    function: Callable[P, Coroutine[object, object, R]] | None = None,
    /,
    *,
    timeout: float | timedelta | None = None,
) -> Workflow[P, R] | Decorator:
    """Make an `async def` a workflow: it goes on after a crash where it was, by running again.

    It must do the same whenever it runs: what may differ belongs into steps. With a `timeout` it is
    stopped in order after so many seconds.
    """
    limit = None if timeout is None else seconds_of(timeout)
    return Decorator(limit) if function is None else Workflow(function, limit)


class Decorator:
    """Makes workflows with the same options."""

    def __init__(self, limit: float | None) -> None:
        """Keep the time-out in seconds."""
        self._limit = limit

    def __call__(self, function: Callable[P, Coroutine[object, object, R]], /) -> Workflow[P, R]:
        """Make a coroutine function a workflow."""
        return Workflow(function, self._limit)
