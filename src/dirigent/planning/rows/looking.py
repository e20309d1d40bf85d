"""What is only looked up and never changed: it is not mixed with what is managed, nor keeps a plan busy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dirigent.model.plan import Action, Change
from dirigent.model.problem import Problem, Refusal
from dirigent.model.stack import Stack
from dirigent.model.values import Expression, leaves
from dirigent.planning.decide import Case
from dirigent.ports import Language


def worth_it(changes: list[Change], stack: Stack, language: Language) -> list[Change]:
    """Return the changes; what was looked up and differs is kept again only where somebody sees it.

    A reading that is another each time would never let a stack come to rest.
    """
    if any(change.action not in {Action.KEEP, Action.READ} for change in changes):
        return changes
    found = (leaf for template in stack.outputs.values() for leaf in leaves(template))
    texts = (leaf.text for leaf in found if isinstance(leaf, Expression))
    seen = {name for text in texts for _, name in language.compile(text).references}
    return [
        replace(change, action=Action.KEEP, differences=(), because="", drifted=False)
        if change.action is Action.READ and change.drifted and change.name not in seen
        else change
        for change in changes
    ]


def refuse_mixed(cases: Sequence[Case]) -> None:
    """Raise `Refusal` (E2067) with every name under which something was managed that is only read now."""
    known = [(case, case.row) for case in cases if case.row is not None]
    mixed = [case for case, row in known if row.reads != case.instance.resource.reads]
    if mixed:
        raise Refusal(
            [
                Problem(
                    "E2067",
                    f"`{case.instance.address}` was managed, and is now only read (or the other way round)",
                    at=case.instance.resource.span,
                    help=("give it another name; what is known under this one goes by itself",),
                )
                for case in mixed
            ]
        )
