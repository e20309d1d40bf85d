"""The checks of a plan in the making: those of instances may refuse it, those of the stack only warn.

What must hold before a change is asked before its provider is; what must hold after it, of what is planned,
or of what stands where nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from dirigent.model.ids import declared_path
from dirigent.model.plan import Action, Change, Checked
from dirigent.model.problem import Problem, Refusal
from dirigent.model.values import Unknown, Value
from dirigent.planning.decide import Case
from dirigent.planning.expand import Instance
from dirigent.planning.graph import templates_of_checks
from dirigent.planning.modules.layout import Layout, seen
from dirigent.planning.modules.places import Place
from dirigent.planning.modules.premises import Premises
from dirigent.planning.request import Asking
from dirigent.planning.rows.outside import Outside
from dirigent.planning.safety.checks import SELF, Asked, ask, seen_text
from dirigent.ports import Language
from dirigent.ports.resources import Proposal

Judged: TypeAlias = tuple[Case, Change, Proposal]
PlaceOf: TypeAlias = Callable[[Instance], Place]


def asked_before(cases: Sequence[Case], place_of: PlaceOf, language: Language) -> Asking[list[Case]]:
    """Return the cases with what is known of the checks that come before their changes.

    Raises:
        Refusal: with every check that does not hold (E2024), has no value (E2004), or another one (E2026).
    """
    wanted = [
        (index, Asked(check, case.instance.address, place_of(case.instance).scope, case.instance.variables))
        for index, case in enumerate(cases)
        for check in case.instance.resource.checks
        if check.before
    ]
    if not wanted:
        return list(cases)
    found = yield from ask([each for _, each in wanted], language)
    _refuse([each.owner for _, each in wanted], found)
    known: dict[int, tuple[Checked, ...]] = {}
    for (index, _), checked in zip(wanted, found, strict=True):
        known[index] = (*known.get(index, ()), checked)
    return [replace(case, checks=known.get(index, ())) for index, case in enumerate(cases)]


def asked_after(judged: Sequence[Judged], place_of: PlaceOf, language: Language) -> Asking[list[Judged]]:
    """Return what was judged, each change with its checks.

    Raises:
        Refusal: with every check that does not hold (E2025), has no value (E2004), or another one (E2026).
    """
    wanted = [
        (
            index,
            Asked(
                check,
                case.instance.address,
                place_of(case.instance).scope,
                {**case.instance.variables, SELF: _self_of(change, proposal)},
            ),
        )
        for index, (case, change, proposal) in enumerate(judged)
        for check in case.instance.resource.checks
        if not check.before
    ]
    found = yield from ask([each for _, each in wanted], language)
    _refuse([each.owner for _, each in wanted], found)
    known = {index: case.checks for index, (case, _, _) in enumerate(judged)}
    for (index, _), checked in zip(wanted, found, strict=True):
        known[index] = (*known[index], checked)
    return [
        (case, replace(change, checks=known[index]) if known[index] else change, proposal)
        for index, (case, change, proposal) in enumerate(judged)
    ]


def _self_of(change: Change, proposal: Proposal) -> Value:
    """Return what `$self` is to the checks of an instance while the plan is made."""
    if change.action is Action.KEEP and change.prior is not None:
        return change.prior.attributes
    return Unknown((change.name,)) if proposal.deferred else proposal.attributes


def _refuse(owners: Sequence[str], found: Sequence[Checked]) -> None:
    problems = [
        Problem(
            "E2024" if each.check.before else "E2025",
            f"a check of `{owner}` does not hold: {each.message}",
            at=each.check.that.span,
            label=seen_text(each.seen),
            help=(_BEFORE if each.check.before else _AFTER, "`on-failure: warn` only says so"),
        )
        for owner, each in zip(owners, found, strict=True)
        if each.holds is False and not each.check.warns
    ]
    if problems:
        raise Refusal(problems)


_BEFORE = "mend what it looks at, or the condition; nothing was touched"
_AFTER = "change the resource, or mend what stands, so that it holds; nothing was touched"


def asked_of_stack(
    premises: Premises, layout: Layout, outside: Outside, language: Language
) -> Asking[tuple[Checked, ...]]:
    """Return what is known of the checks of a stack and of its modules, if nothing that they see is left out.

    One that has no value does not hold, and says why.
    """
    found: list[Checked] = []
    left = frozenset(map(declared_path, outside.names()))
    for place in premises.places():
        for check in place.home.stack.checks:
            templates = templates_of_checks([check])
            if left and not left.isdisjoint(layout.below([*seen(templates, place.home, language)]).nodes):
                continue
            try:
                (checked,) = yield from ask([Asked(check, check.name, place.scope, place.each)], language)
            except Refusal as refusal:
                words = "; ".join(each.message for each in refusal.problems)
                checked = Checked(check, holds=False, message=words)
            found.append(
                replace(
                    checked,
                    name=place.at(check.name),
                    scope=place.address,
                    each=place.each.get("each"),
                    waits=premises.bridges.waits(place, templates),
                )
            )
    return tuple(found)
