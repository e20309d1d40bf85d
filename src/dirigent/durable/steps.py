"""Steps: functions that act on the world. Their results are recorded; a replay does not run them again."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Final, Generic, ParamSpec, Protocol, TypeAlias, TypedDict, TypeVar, Unpack, cast, overload

from dirigent.durable.asking import Asked
from dirigent.durable.conversion import Form, form_of, to_json
from dirigent.durable.naming import module_of, name_of
from dirigent.durable.waiting import seconds_of
from dirigent.model.program import Call, InQueue, OnDoubt
from dirigent.model.record import dataclass
from dirigent.model.run.code import Again, Repeatedly, Request
from dirigent.model.values import Value

P = ParamSpec("P")
R = TypeVar("R")
Written: TypeAlias = Callable[P, Awaitable[R]] | Callable[P, R]
FUNCTION: Final = "python"
NAME: Final = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class Retry:
    """When a step that raised is tried again: `attempts` in all, the first included.

    Before the n-th new attempt `delay` * `factor` ** (n - 1) seconds pass, at most `delay_max`, and up to
    `jitter` more. `on` are the exceptions that may pass; of those, `never` are not tried again.
    """

    attempts: int = 3
    delay: float = 1.0
    factor: float = 2.0
    delay_max: float = 60.0
    jitter: float = 0.0
    total: float | timedelta | None = None
    on: tuple[type[Exception], ...] = (Exception,)
    never: tuple[type[Exception], ...] = ()

    def again(self) -> Again:
        """Return the figures without the exceptions, which the performer judges."""
        total = None if self.total is None else seconds_of(self.total)
        return Again(self.attempts - 1, self.delay, self.factor, self.delay_max, self.jitter, total)

    def passing(self, failure: Exception) -> bool:
        """Return whether another attempt may end otherwise."""
        return isinstance(failure, self.on) and not isinstance(failure, self.never)


@dataclass(frozen=True)
class Options:
    """How a step is called.

    `on_doubt` is what becomes of it when nobody can say whether it happened. One with a `database` is a
    transaction of that file. One with a `queue` waits for its turn there, a `quick` one
    runs on the engine's own loop.
    """

    name: str = ""
    retry: Retry | None = None
    timeout: float | timedelta | None = None
    on_doubt: OnDoubt = OnDoubt.HOLD
    database: str = ""
    queue: str = ""
    quick: bool = False


class _Maker(Protocol):
    """A function, as it is called with what the journal holds."""

    def __call__(self, *args: object, **members: object) -> object:
        """Return its result, or what must be awaited for it."""
        ...


@dataclass(frozen=True, slots=True)
class Bound:
    """A function with its arguments; a transaction goes in front of them."""

    function: _Maker
    args: Sequence[object]
    members: Mapping[str, object]

    def __call__(self, *before: object) -> object:
        """Call it."""
        return self.function(*before, *self.args, **self.members)


class Step(Generic[P, R]):
    """A step. To call it in a workflow gives what must be awaited; `function` is what the author wrote."""

    def __init__(self, function: Written[P, R], options: Options) -> None:
        """Wrap a function."""
        self.function = function
        self.options = options
        self.module = module_of(function)
        self.qualname = name_of(function)
        self.name = options.name or self.qualname.rpartition(".")[2]
        if not NAME.fullmatch(self.name):
            raise ValueError(f"`{self.name}` cannot name a step: take letters, digits and `_ . -`")
        if options.quick and (options.queue or not self.plain):
            raise ValueError(f"`{self.name}` waits: only a plain function without a queue can be quick")
        self.__doc__ = function.__doc__
        self.__name__ = self.name
        waits = InQueue(options.queue) if options.queue else None
        call = Call(FUNCTION, None, options.on_doubt, literal=True, waits=waits)
        limit = None if options.timeout is None else seconds_of(options.timeout)
        again = options.retry.again() if options.retry else None
        self._node = Repeatedly(call, again, limit) if again else call
        self._limit = None if again else limit
        self._what = f"`{self.name}`"

    @property
    def reference(self) -> str:
        """Return under which name another process finds it: `module:name`."""
        return f"{self.module}:{self.qualname}"

    @cached_property
    def form(self) -> Form:
        """Return its parameters and its result."""
        return form_of(self.function, 1 if self.options.database else 0)

    @cached_property
    def plain(self) -> bool:
        """Return whether it is a plain function, which runs in a thread."""
        return not inspect.iscoroutinefunction(self.function)

    def bound(self, args: Sequence[Value], named: Mapping[str, Value]) -> Bound:
        """Return the function with stored arguments, ready to be called, or raise `NotStorable`."""
        form, what = self.form, self._what
        names = form.names if not form.spread else (*form.names, *[form.spread] * len(args))
        given = [form.argument(name, each, what) for name, each in zip(names, args, strict=False)]
        members = {name: form.argument(name, each, what) for name, each in named.items()}
        return Bound(cast("_Maker", self.function), given, members)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Asked[R]:
        """Return what a workflow must await. Nothing happens before."""
        what = self._what
        given: dict[str, Value] = {
            "step": self.reference,
            "args": [to_json(each, f"an argument of {what}") for each in args],
            "kwargs": {name: to_json(each, f"`{name}` of {what}") for name, each in kwargs.items()},
        }
        return Asked(Request(self.name, self._node, given, self._limit), what, self.form.result)


def policy_of(retry: Retry | int | None) -> Retry | None:
    """Return a policy; a number is how many attempts there are in all."""
    return Retry(retry) if isinstance(retry, int) else retry


class Given(TypedDict, total=False):
    """What `step` may be given."""

    name: str
    retry: Retry | int | None
    timeout: float | timedelta | None
    idempotent: bool
    on_doubt: str
    queue: str
    quick: bool


@overload
def step(function: Callable[P, Awaitable[R]], /) -> Step[P, R]: ...
@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(**given: Unpack[Given]) -> Decorator: ...
def step(
    function: Callable[P, Awaitable[R]] | Callable[P, R] | None = None, /, **given: Unpack[Given]
) -> Step[P, R] | Decorator:
    """Make a function a step: what it does happens once, and its result is recorded.

    `retry` says when to try again after an exception (a number is how many attempts there are in all).
    `timeout` is for each attempt. An `idempotent` step may be repeated when nobody can say whether it
    happened; otherwise `on_doubt` holds the run (`hold`), repeats it (`repeat`) or takes None (`skip`).
    With a `queue` it waits for its turn there, and workers do it if the queue has any. A plain function
    that takes microseconds and waits for nothing may be `quick`: it runs where the engine runs.
    """
    unknown = given.keys() - Given.__annotations__.keys()
    if unknown:
        raise TypeError(f"step() takes no `{min(unknown)}`")
    on_doubt, idempotent = given.get("on_doubt", ""), given.get("idempotent", False)
    doubt = OnDoubt(on_doubt) if on_doubt else OnDoubt.REPEAT if idempotent else OnDoubt.HOLD
    options = Options(
        name=given.get("name", ""),
        retry=policy_of(given.get("retry")),
        timeout=given.get("timeout"),
        on_doubt=doubt,
        queue=given.get("queue", ""),
        quick=given.get("quick", False),
    )
    return Decorator(options) if function is None else Step(function, options)


@dataclass(frozen=True, slots=True)
class Decorator:
    """Makes steps with the same options."""

    options: Options

    @overload
    def __call__(self, function: Callable[P, Awaitable[R]], /) -> Step[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Step[P, R]: ...
    def __call__(self, function: Callable[P, Awaitable[R]] | Callable[P, R], /) -> Step[P, R]:
        """Make a function a step."""
        return Step(function, self.options)
