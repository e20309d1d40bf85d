"""The plan that turns what stands into what stood after an earlier apply: create, update, delete, row by row.

The rows of then are what is declared: their configurations are known, so apply has nothing to evaluate.
What was deleted since is made anew; what it held besides its configuration is lost, and the plan says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from dirigent.model.ids import DEPOSED, PlanId, RunId
from dirigent.model.plan import Action, Change, Plan, identity
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.resource import Lifecycle, Replace, Resource, ResourceRow
from dirigent.model.stack import Stack
from dirigent.model.values import has_unknown
from dirigent.planning.decide import Case, create_first, decide
from dirigent.planning.expand import Instance
from dirigent.planning.plan import in_order
from dirigent.planning.proposing import propose
from dirigent.planning.remove import refuse_protected, removal, with_setups
from dirigent.planning.request import Asking
from dirigent.planning.safety.succession import Succession
from dirigent.planning.safety.touching import world_of
from dirigent.planning.values.evaluate import Rendered, template_of
from dirigent.planning.values.setups import Setups, undeclared
from dirigent.ports.resources import Reading

ANEW = "it is made anew with its configuration of then; what it held besides is lost"
LOST = "what it holds now is lost"


@dataclass(frozen=True, slots=True)
class Return:
    """All that a way back is planned from: `then` are the rows as they stood after the run `to`.

    The others are as in `planning.plan.Situation`.
    """

    stack: Stack
    to: RunId
    then: Sequence[ResourceRow]
    rows: Sequence[ResourceRow] = ()
    readings: Mapping[str, Reading] = field(default_factory=dict)
    at: float = 0.0
    read_seconds: float = 0.0
    setups: Setups = field(default_factory=dict)


def plan_rollback(back: Return) -> Asking[Plan]:
    """Return the plan of a way back.

    Raises:
        Refusal: a provider that is not declared any more (E2047) or whose configuration is not known yet
            (E2051), what providers refuse (E3xxx), protected instances that would go (E2008).
    """
    cases = _cases(back)
    proposals = yield from propose([(case, case.prior) for case in cases], back.stack.providers)
    judged = [(case, decide(case, proposal)) for case, proposal in zip(cases, proposals, strict=True)]
    anew = [number for number, (_, change) in enumerate(judged) if change.action is Action.REPLACE]
    fresh = yield from propose([(judged[number][0], None) for number in anew], back.stack.providers)
    for number, proposal in zip(anew, fresh, strict=True):
        case, change = judged[number]
        judged[number] = (case, replace(change, binding=proposal.binding))
    wanted = {str(change.address): create_first(case) for case, change in judged}
    kept = {change.address for _, change in judged}
    going = [
        _leaving(removal(row, back.readings.get(row.address), f"it was not there after {back.to}"))
        for row in sorted(back.rows, key=lambda row: row.address)
        if row.address not in kept and not row.reads
    ]
    declared = Succession(wanted).spread([_told(change, back) for _, change in judged], going)
    changes = [*declared, *with_setups(going, back.setups)]
    refuse_protected(changes)
    made = Plan(
        id=PlanId(""),
        stack=back.stack.name,
        at=back.at,
        changes=in_order(changes),
        fingerprint=world_of(changes, back.rows),
        read_seconds=back.read_seconds,
        secrets=tuple(back.stack.secrets),
        rollback=back.to,
    )
    return replace(made, id=identity(made))


def _cases(back: Return) -> list[Case]:
    """Return what is known of each instance of then: what it shall be again, and what stands."""
    rows = {str(row.address): row for row in back.rows}
    cases: list[Case] = []
    problems: list[Problem] = []
    for then in sorted(back.then, key=lambda row: row.address):
        # What was only looked up was not made: it is as the next plan finds it.
        if DEPOSED in then.address or then.reads:
            continue
        if then.provider and then.provider not in back.setups:
            problems.append(undeclared(then.address, then.provider))
            continue
        setup = back.setups.get(then.provider, {})
        if has_unknown(setup):
            problems.append(_unknown(then))
            continue
        cases.append(
            Case(
                Instance(_resource(then, back.stack), then.address, then.key),
                value=then.config,
                template={name: template_of(value) for name, value in then.config.items()},
                needs=then.needs,
                row=rows.get(then.address),
                reading=back.readings.get(then.address),
                setup=Rendered(setup, template_of(setup)) if then.provider else None,
            )
        )
    if problems:
        raise Refusal(problems)
    return cases


def _resource(then: ResourceRow, stack: Stack) -> Resource:
    """Return the resource that would declare a row as it was.

    How it is replaced is as the stack says now, or as the row remembers where that says nothing of it.
    """
    known = stack.resources.get(then.name)
    remembered = Replace.CREATE_FIRST if then.create_first else Replace.DELETE_FIRST
    order = known.lifecycle.replace if known is not None else remembered
    return Resource(
        then.name,
        then.type,
        {name: template_of(value) for name, value in then.config.items()},
        lifecycle=Lifecycle(protect=then.protect, replace=order),
        provider=then.provider,
        identity=known.identity if known is not None else "",
    )


def _told(change: Change, back: Return) -> Change:
    """Return a change that says what cannot be brought back."""
    if change.action is Action.CREATE:
        because = f"it stood after {back.to}"
        return replace(change, because=because, warnings=(*change.warnings, ANEW))
    return _leaving(change)


def _leaving(change: Change) -> Change:
    if change.action in {Action.DELETE, Action.REPLACE}:
        return replace(change, warnings=(*change.warnings, LOST))
    return change


def _unknown(then: ResourceRow) -> Problem:
    return Problem(
        "E2051",
        f"how the provider `{then.provider}` of `{then.address}` is configured is known only at apply",
        help=("bring what its configuration hangs on into place first, with `dirigent up --target`",),
    )
