"""What may be told to a run from outside, before its own tables are asked, and what is the same run."""

from __future__ import annotations

from dirigent.core.machine import Run
from dirigent.core.storable import unstorable
from dirigent.model import limits
from dirigent.model.ids import RunId
from dirigent.model.problem import refuse
from dirigent.model.program import Code, Program
from dirigent.model.run.journal import Fact, Signalled, Vouched


def check_storable(run: RunId, fact: Fact) -> None:
    """Raise `Refusal` (E4017) for a word that no journal could hold."""
    match fact:
        case Vouched(output=value) | Signalled(data=value):
            reason = unstorable(value)
        case _:
            reason = None
    if reason is not None:
        what = "output" if isinstance(fact, Vouched) else "event"
        raise refuse("E4017", f"run `{run}` cannot take this {what}: {reason}")


def check_heard(run: Run, fact: Fact) -> None:
    """Raise `Refusal` for an event that nothing could ever wait for (E4034), or one too many (E4035)."""
    if not isinstance(fact, Signalled):
        return
    if not isinstance(run.program.root.node, Code):
        raise refuse(
            "E4034",
            f"run `{run.id}` is no workflow of code: nothing in it waits for events",
            "only workflows in Python wait for events, with `wait_event`",
        )
    if run.script is not None and run.script.kept >= limits.EVENTS_KEPT:
        raise refuse(
            "E4035",
            f"run `{run.id}` keeps {limits.EVENTS_KEPT} events that it has not waited for yet",
            "let the workflow take events faster, or put several into one",
        )


def repeated(run: Run, fact: Fact) -> bool:
    """Return whether a run has this very event already: then to tell it again changes nothing."""
    return isinstance(fact, Signalled) and run.script is not None and fact.id in run.script.heard


def of_one_name(known: Program, wanted: Program) -> bool:
    """Return whether two programs are texts of one workflow of code."""
    one, other = known.root.node, wanted.root.node
    if not isinstance(one, Code) or not isinstance(other, Code):
        return False
    return (one.module, one.name) == (other.module, other.name)
