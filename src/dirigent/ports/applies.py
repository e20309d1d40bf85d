"""What can be asked of a store about changes of the world: who is at it, who was last."""

from __future__ import annotations

from typing import Final, Protocol, runtime_checkable

from dirigent.model.ids import PlanId
from dirigent.model.run.summary import RunSummary

APPLY: Final = "apply"
"""The kind of a program that carries out a plan."""

AFTER: Final = "after"
"""The member of an apply's metadata that names the newest apply when it was checked against the open ones."""


class Applies(Protocol):
    """What a store knows of applies.

    A run of kind `apply` whose metadata has `AFTER` is begun only while the apply named there is still the
    newest one; else its first append is refused (`E2048`), and nothing of it is stored. That is decided
    inside the transaction that stores it: of two that start at the same instant one comes first.
    """

    async def newest_apply(self) -> str:
        """Return the id of the apply that was begun last, empty for none; it may be removed by now."""
        ...

    async def open_applies(self) -> list[RunSummary]:
        """Return every apply that has not ended, oldest first, however many other runs are open."""
        ...

    async def has_plan(self, plan: PlanId) -> bool:
        """Return whether a plan is stored: it may be long, and need not be read for that."""
        ...

    async def addresses(self) -> list[str]:
        """Return the address of every instance that there ever was, in order."""
        ...


@runtime_checkable
class Accountable(Protocol):
    """A store that keeps an account of applies."""

    @property
    def applies(self) -> Applies:
        """Return what it knows of applies."""
        ...
