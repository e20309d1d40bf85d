"""The section `schedules`: by what rules workflows of the stack run by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.lang.schedule.events import NOTHING
from dirigent.lang.schedule.reading import KINDS, schedule_of
from dirigent.lang.shape import nearest, shortened
from dirigent.lang.stack.reading import Reading
from dirigent.lang.tree import Member, Members, plain
from dirigent.lang.workflow.reading import Reading as WorkflowReading
from dirigent.lang.workflow.scheduling import check_schedule
from dirigent.lang.workflow.tasks.events import lower_on
from dirigent.model.program import Program
from dirigent.model.run.schedule import Schedule
from dirigent.model.source import Span
from dirigent.model.stack import StackWorkflow
from dirigent.model.values import Value

# Rules for times, and why events have no use for them.
FOR_TIMES: Final = {
    "misfire": "each event counts, also one that came while no engine ran",
    "jitter": "a run begins when its events have come",
    "zone": "the time zone is that of `cron`",
}


def read_schedules(
    reading: Reading, found: Members | None, workflows: Mapping[str, StackWorkflow]
) -> dict[str, Schedule]:
    """Return the schedules of a stack by the name of their workflow.

    Reports names that are no workflow (E2065), and workflows of which nobody says when (E2066).
    """

    def complain(code: str, message: str, at: Span, remedy: str) -> None:
        reading.complain(code, message, at, "", remedy)

    before = len(reading.problems)
    policies: dict[str, Value] = {}
    for member in found or ():
        check_schedule(member.node, complain, demanded=False)
        _check_events(reading, member, workflows)
        policies[member.key] = plain(member.node)
        _check(reading, member, workflows)
    schedules: dict[str, Schedule] = {}
    # What is wrong has been said; a stack with a problem is none.
    for name, workflow in workflows.items() if len(reading.problems) == before else ():
        try:
            schedule = scheduled(workflow.program, policies.get(name))
        except ValueError:
            continue  # The shapes have said so.
        if schedule is not None:
            schedules[name] = schedule
    return schedules


def scheduled(program: Program, policy: Value = None) -> Schedule | None:
    """Return the schedule of a program under what its stack says, None where neither says when.

    Raises `ValueError` for a length of time that is none.
    """
    evaluate = program.definition.get("evaluate") if isinstance(program.definition, dict) else None
    loose = isinstance(evaluate, dict) and evaluate.get("mode") == "loose"
    return schedule_of(written(program), policy, loose=loose)


def written(program: Program) -> Value:
    """Return the section `schedule` of a program's document."""
    return program.definition.get("schedule") if isinstance(program.definition, dict) else None


def _check_events(reading: Reading, member: Member, workflows: Mapping[str, StackWorkflow]) -> None:
    """Report what is wrong with a strategy, and rules (E1948) that have no meaning for events."""
    rules = member.node if isinstance(member.node, Members) else Members({}, member.key_span)
    on, workflow = rules.get("on"), workflows.get(member.key)
    if on is not None:
        language = reading.context.language
        lower_on(WorkflowReading(reading.file, reading.lines, language, NOTHING, {}, reading.problems), on)
    own = written(workflow.program) if workflow is not None else None
    by_document = isinstance(own, dict) and "on" in own and not any(kind in rules.members for kind in KINDS)
    if on is None and not by_document:
        return
    for name, why in FOR_TIMES.items():
        if name in rules.members:
            reading.complain(
                "E1948",
                f"`{name}` has no meaning for runs that events start: {why}",
                rules.members[name].key_span,
                "a rule for times",
                f"remove `{name}`",
            )


def _check(reading: Reading, member: Member, workflows: Mapping[str, StackWorkflow]) -> None:
    name, workflow = member.key, workflows.get(member.key)
    if workflow is None:
        meant = nearest(name, tuple(workflows))
        reading.complain(
            "E2065",
            f"`{shortened(name)}` is no workflow of this stack, so it has no schedule",
            member.key_span,
            f"did you mean `{meant}`?" if meant else "not declared",
            "name a workflow of `workflows:`",
        )
        return
    own = isinstance(member.node, Members) and any(each.key in KINDS for each in member.node)
    if not own and not written(workflow.program):
        reading.complain(
            "E2066",
            f"nobody says when workflow `{shortened(name)}` is to run",
            member.key_span,
            "no `every`, `cron`, `after` or `on`",
            "add one here, or a `schedule:` to its document",
        )
