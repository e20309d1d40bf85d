"""Where two tools disagree about the cases: action, forcing paths, planned values, final state."""

from dirigent.providers.tofu.lifecycle.proposing import same
from dirigent.providers.tofu.schema.shape import implied
from dirigent.providers.tofu.values.stored import restored
from providers.zoo.kinds import SPECIES
from providers.zoo.product import Whole


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
    if not alike(ours, theirs.forced):
        yield f"forced by {sorted(ours.forced)}, in Terraform by {sorted(theirs.forced)}"
    yield from members(kind, "planned", ours.planned, theirs.planned)
    yield from members(kind, "state", ours.state, theirs.state)
    if isinstance(ours, Whole):
        yield from members(kind, "row", ours.row, theirs.state)
        mine, other = (said(at_rest(kind, each)) for each in (ours.shown, theirs.planned))
        if not same(mine, other):
            yield f"shown {mine}, of Terraform {other}"


def at_rest(kind, value):
    """Return a value with its numbers and sets as they are kept."""
    whole = implied(SPECIES[kind].block)
    return value and restored({**dict.fromkeys(whole.members), **value}, whole)


def alike(ours, forced):
    """Return whether the forcing paths are those; a plan shows the whole of what appears or goes at once."""
    if not isinstance(ours, Whole):
        return ours.forced == forced
    pairs = [(mine, path) for mine in ours.forced for path in forced if path[: len(mine)] == mine]
    return ours.forced == {mine for mine, _ in pairs} and forced == {path for _, path in pairs}


def said(value):
    """Return what of a value says something: what is null or empty may as well not be there."""
    match value:
        case dict():
            found = {name: said(each) for name, each in value.items()}
            return {name: each for name, each in found.items() if each is not None} or None
        case list():
            found = [said(each) for each in value]
            while found and found[-1] is None:
                found.pop()
            return found or None
        case _:
            return value


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
