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


class Frame:
    """The variables in sight. A frame that sees one more shares its purse with the first."""

    __slots__ = ("purse", "toll", "variables")

    def __init__(self, variables: Mapping[str, Value], toll: int, purse: list[int] | None = None) -> None:
        """Look at the variables; `toll` is what one turn of an iteration costs in this program."""
        self.variables = variables
        self.toll = toll
        # A list of one number: the steps that are left to the whole evaluation.
        self.purse = [EXPRESSION_STEPS] if purse is None else purse

    def spend(self, steps: int) -> None:
        """Pay for work that grows with a value, before it is done."""
        purse = self.purse
        purse[0] -= steps
        if purse[0] < 0:
            raise Stopped(f"the expression takes more than {EXPRESSION_STEPS} steps")

    def turn(self) -> None:
        """Pay for one turn of an iteration."""
        purse = self.purse
        purse[0] -= self.toll
        if purse[0] < 0:
            raise Stopped(f"the expression takes more than {EXPRESSION_STEPS} steps")

    def with_variable(self, name: str, value: Value) -> Frame:
        """Return a frame that sees one variable more."""
        return Frame({**self.variables, name: value}, self.toll, self.purse)
