"""What one evaluation carries: the variables, and the steps that are left to it."""

from __future__ import annotations

from collections.abc import Mapping

from dirigent.model.limits import EXPRESSION_STEPS
from dirigent.model.values import Unknown, Value
from dirigent.ports import ExpressionFailed


class Undetermined(Exception):
    """An operation looked inside a value that is known only after `needs` have been applied."""

    def __init__(self, *values: Unknown) -> None:
        """Unite what the values need, in their order."""
        super().__init__("not known yet")
        self.needs = tuple(dict.fromkeys(need for value in values for need in value.needs))

    def value(self) -> Unknown:
        """Return the value that stands for the result."""
        return Unknown(self.needs)


class Stopped(ExpressionFailed):
    """An end that `try` and `?` do not catch: a limit that was reached, a secret that was touched."""


class Raised(ExpressionFailed):
    """What `error` raised; `value` is what `catch` sees."""

    def __init__(self, message: str, value: Value) -> None:
        """Keep the value beside its text."""
        super().__init__(message)
        self.value = value


class Purse:
    """The steps that are left; shared by all frames of one evaluation."""

    __slots__ = ("steps", "toll")

    def __init__(self, toll: int) -> None:
        """Begin with a full purse; `toll` is what one turn of an iteration costs in this program."""
        self.steps = EXPRESSION_STEPS
        self.toll = toll


class Frame:
    """The variables in sight. Copied when an expression binds one of its own."""

    __slots__ = ("purse", "variables")

    def __init__(self, variables: Mapping[str, Value], purse: Purse) -> None:
        """Look at the variables; they are never changed."""
        self.variables = variables
        self.purse = purse

    def spend(self, steps: int) -> None:
        """Pay for work that grows with a value, before it is done."""
        purse = self.purse
        purse.steps -= steps
        if purse.steps < 0:
            raise Stopped(f"the expression takes more than {EXPRESSION_STEPS} steps")

    def turn(self) -> None:
        """Pay for one turn of an iteration."""
        self.spend(self.purse.toll)

    def with_variable(self, name: str, value: Value) -> Frame:
        """Return a frame that sees one variable more."""
        return Frame({**self.variables, name: value}, self.purse)
