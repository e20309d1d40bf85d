"""The section `schedules`: by what rules workflows of the stack run by themselves."""

from __future__ import annotations

from collections.abc import Mapping

from dirigent.lang.schedule.reading import KINDS, schedule_of
from dirigent.lang.shape import nearest, shortened
from dirigent.lang.stack.reading import Reading
from dirigent.lang.tree import Member, Members, plain
from dirigent.lang.workflow.scheduling import check_schedule
from dirigent.model.program import Program
from dirigent.model.run.schedule import Schedule
from dirigent.model.source import Span
from dirigent.model.stack import StackWorkflow
from dirigent.model.values import Value


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
        policies[member.key] = plain(member.node)
        _check(reading, member, workflows)
    schedules: dict[str, Schedule] = {}
    # What is wrong has been said; a stack with a problem is none.
    for name, workflow in workflows.items() if len(reading.problems) == before else ():
        try:
            schedule = schedule_of(written(workflow.program), policies.get(name))
        except ValueError:
            continue  # The shapes have said so.
        if schedule is not None:
            schedules[name] = schedule
    return schedules


def written(program: Program) -> Value:
    """Return the section `schedule` of a program's document."""
    return program.definition.get("schedule") if isinstance(program.definition, dict) else None


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
            "no `every`, `cron` or `after`",
            "add one here, or a `schedule:` to its document",
        )
