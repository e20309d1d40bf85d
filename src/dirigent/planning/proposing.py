"""Ask the providers what would become of instances, and put what they refuse where it belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dirigent.model.problem import Problem, Refusal
from dirigent.model.resource import ResourceRow
from dirigent.model.stack import ProviderSetup
from dirigent.planning.decide import Case
from dirigent.planning.request import Answers, Asking, Propose, Wish
from dirigent.planning.values.placing import placed
from dirigent.planning.values.setups import members_of
from dirigent.ports.resources import Proposal


def propose(
    wishes: Sequence[tuple[Case, ResourceRow | None]], setups: Mapping[str, ProviderSetup]
) -> Asking[list[Proposal]]:
    """Return what would become of instances, each from a prior row: all are asked for at once.

    Raises:
        Refusal: with every problem that a provider answers, placed at its resource. What no text declares
            has no place, as on a way back: its problems name it.
    """
    if not wishes:
        return []
    answers: Answers = yield Propose(tuple(_wish(case, prior) for case, prior in wishes))
    proposals: list[Proposal] = []
    problems: list[Problem] = []
    for (case, _), answer in zip(wishes, answers, strict=True):
        if isinstance(answer, Proposal):
            proposals.append(answer)
        elif isinstance(answer, Refusal):
            found = placed(answer.problems, case.instance.resource, setups)
            problems += (each if each.at is not None else _naming(case, each) for each in found)
    if problems:
        raise Refusal(dict.fromkeys(problems))
    return proposals


def _wish(case: Case, prior: ResourceRow | None) -> Wish:
    return Wish(
        case.instance.address,
        case.instance.resource.type,
        prior,
        case.value,
        case.instance.resource.provider,
        members_of(case.setup.value) if case.setup else {},
        succeeds=case.standing if prior is None else None,
        looks=case.looks,
    )


def _naming(case: Case, problem: Problem) -> Problem:
    address = f"`{case.instance.address}`"
    named = problem.message if address in problem.message else f"{address}: {problem.message}"
    return replace(problem, message=named)
