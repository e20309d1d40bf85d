"""What `--json` prints: one function for each kind of answer. Their schemas are in `cli.schemas`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Final

from dirigent.cli.answer import Json, span_json
from dirigent.model.fault import Fault
from dirigent.model.plan import Action, Change, Difference, Plan, danger_first, lost
from dirigent.model.resource import ResourceRow
from dirigent.model.run.journal import Fact
from dirigent.model.run.summary import RunSummary
from dirigent.model.values import Expression, SecretText, Template, Unknown, UriTemplate, Value
from dirigent.service.views.checks import CheckView, of_plan

# Grows when a member of a plan changes its meaning or goes; new members leave it as it is.
PLAN_FORMAT: Final = 1
# What `value` knows how to show.
LEAVES = (bool, int, float, str, list, SecretText, Unknown, Expression, UriTemplate)


def value(node: Template | Value) -> Json:
    """Return a value; secrets as their names, what is not known yet as `{"unknown": [...]}`."""
    match node:
        case list():
            return [value(item) for item in node]
        case dict():
            return {name: value(item) for name, item in node.items()}
        case Unknown(needs):
            return {"unknown": list(needs)}
        case Expression(text):
            return "${ " + text + " }"
        case SecretText() | UriTemplate():
            return str(node) if isinstance(node, SecretText) else node.text
        case _:
            return node


def fault(found: Fault | None) -> Json:
    """Return an error as RFC 7807 names its members."""
    if found is None:
        return None
    return {**{name: value(each) for name, each in found.as_value().items()}, "at": span_json(found.span)}


def plan(made: Plan) -> dict[str, Json]:
    """Return a plan."""
    return {
        "format": PLAN_FORMAT,
        "id": made.id,
        "stack": made.stack,
        "destroy": made.destroy,
        "partial": made.selection.partial,
        "targets": list(made.selection.targets),
        "exclude": list(made.selection.exclude),
        "replace": list(made.selection.replace),
        "leftOut": list(made.left_out),
        "at": made.at,
        "changes": [change(each) for each in danger_first(made)],
        "dangers": dangers(made),
        "outputs": {name: value(each) for name, each in made.outputs.items()},
        "checks": [check(each) for each in of_plan(made)],
    }


def dangers(made: Plan) -> Json:
    """Return how much of a plan destroys, and how much of that is lost for good."""
    return {
        "replace": sum(each.action is Action.REPLACE for each in made.changes),
        "delete": sum(each.action is Action.DELETE for each in made.changes),
        "dataLoss": len(lost(made)),
    }


def change(each: Change) -> Json:
    """Return one change of a plan."""
    return {
        "address": each.address,
        "type": each.type,
        "action": each.action.value,
        "because": each.because,
        "drifted": each.drifted,
        "protected": each.protect,
        "createFirst": each.create_first,
        "loses": each.loses or None,
        "leavesFormer": each.lingers,
        "deferred": each.deferred,
        "movedFrom": each.moved_from or None,
        "importedAs": each.imported or None,
        "needs": list(each.needs),
        "differences": [difference(found) for found in each.differences],
        "warnings": list(each.warnings),
        "at": span_json(each.span),
    }


def check(each: CheckView) -> Json:
    """Return one check, of a plan or of a run."""
    return {
        "owner": each.owner,
        "when": each.when,
        "that": each.that,
        "holds": each.holds,
        "warns": each.warns,
        "message": each.message,
        "seen": value({**each.seen}),
        "at": span_json(each.at),
    }


def difference(found: Difference) -> Json:
    """Return one property that changes."""
    return {
        "path": found.path,
        "before": value(found.before),
        "after": value(found.after),
        "forcesReplacement": found.forces_replacement,
        "at": span_json(found.span),
    }


def summary(run: RunSummary) -> Json:
    """Return one run of a list."""
    return {
        "id": run.id,
        "name": run.name,
        "kind": run.kind,
        "phase": run.phase,
        "createdAt": run.created_at,
        "endedAt": run.ended_at,
        "parent": run.parent,
        "fault": fault(run.fault),
    }


def row(found: ResourceRow) -> Json:
    """Return one resource instance."""
    return {
        "address": found.address,
        "type": found.type,
        "attributes": value(found.attributes),
        "needs": list(found.needs),
        "tainted": found.tainted,
        "protected": found.protect,
    }


def fact(position: int, recorded: Fact) -> dict[str, Json]:
    """Return one fact of a journal, with its place in it."""
    members: dict[str, Json] = {"n": position, "fact": type(recorded).__name__}
    for each in fields(recorded):
        members[each.name] = _member(getattr(recorded, each.name))
    return members


def _member(found: object) -> Json:
    if isinstance(found, Fault | ResourceRow):
        return fault(found) if isinstance(found, Fault) else row(found)
    if isinstance(found, tuple):
        return [_member(each) for each in found]
    if isinstance(found, Mapping):
        return {str(name): _member(each) for name, each in found.items()}
    if isinstance(found, LEAVES) or found is None:
        return value(found)
    if is_dataclass(found):
        return {each.name: _member(getattr(found, each.name)) for each in fields(found)}
    return str(found.value if isinstance(found, Enum) else found)
