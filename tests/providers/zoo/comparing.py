"""Where two tools disagree about the cases: action, forcing paths, planned values, final state."""

from dirigent.providers.tofu.lifecycle.proposing import same
from dirigent.providers.tofu.schema.shape import implied
from dirigent.providers.tofu.values.stored import restored
from providers.zoo.kinds import SPECIES


def disagreements(cases, ours, theirs):
    """Return a line for each; the order of a set means nothing, and a number is a number."""
    declared = {name: each for case in cases for name, each in {**case.before, **case.after}.items()}
    what = {name: case.what for case in cases for name in {**case.before, **case.after}}
    found = []
    for address in sorted(ours.keys() | theirs.keys()):
        name = address.split("[")[0]
        lines = compared(declared[name].type, ours.get(address), theirs.get(address))
        found += [f"{address} ({what[name]}, {declared[name].type}): {line}" for line in lines]
    return found


def compared(kind, ours, theirs):
    if ours is None or theirs is None:
        yield f"only {'Terraform' if ours is None else 'Dirigent'} has it: {ours or theirs}"
        return
    if ours.action != theirs.action:
        yield f"action {ours.action}, of Terraform {theirs.action}"
    if ours.forced != theirs.forced:
        yield f"forced by {sorted(ours.forced)}, in Terraform by {sorted(theirs.forced)}"
    yield from members(kind, "planned", ours.planned, theirs.planned)
    yield from members(kind, "state", ours.state, theirs.state)


def members(kind, which, ours, theirs):
    whole = implied(SPECIES[kind].block)
    mine, other = (None if each is None else restored(each, whole) for each in (ours, theirs))
    if mine is None or other is None:
        if mine is not other:
            yield f"{which}: {mine}, of Terraform {other}"
        return
    for name in mine:
        if not same(mine[name], other[name]):
            yield f"{which} {name}: {mine[name]!r}, of Terraform {other[name]!r}"
