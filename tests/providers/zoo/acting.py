"""How an object of the zoo is planned and made: by its species, and by nothing else.

What becomes of an unknown value follows from the values beside it, never from time or order, so
that two tools which do the same come to the same state.
"""

import hashlib
import json

from dirigent.model.values import Unknown
from dirigent.providers.tofu.lifecycle.proposing import same
from dirigent.providers.tofu.schema.shape import Block, Nesting
from dirigent.providers.tofu.values.types import BOOL, DYNAMIC, NUMBER, STRING, Collection, Kind, Structure

UNKNOWN = Unknown()


def planned(species, prior, proposed):
    """Return the planned state of an object that shall stand."""
    found = opened(species, species.block, proposed)
    if species.old:
        found = of_the_first_kit(found, prior)
    if prior is not None and not same({**found, "revision": prior["revision"]}, prior):
        found["revision"] = UNKNOWN
    return found


def of_the_first_kit(found, prior):
    """Do as providers of the old kit do: what they change stands in no configuration."""
    found["name"] = found["name"].lower() if isinstance(found["name"], str) else found["name"]
    found["note"] = "" if found["note"] is None else found["note"]
    if found["size"] is None and prior is not None and prior["size"] == 0:
        found["size"] = 0
    return found


def opened(species, block, value):
    """Put defaults and unknown values where computed ones are missing."""
    if not isinstance(value, dict):
        return value
    found = {name: attribute(species, each, value[name]) for name, each in block.attributes.items()}
    for name, nested in block.blocks.items():
        found[name] = each_of(
            nested.nesting, value[name], lambda one, n=nested: opened(species, n.block, one)
        )
    return found


def attribute(species, given, value):
    if value is None and given.computed:
        return species.defaults.get(given.name, UNKNOWN)
    if given.nested is None:
        return value
    inner = Block(given.nested.attributes)
    return each_of(given.nested.nesting, value, lambda one: opened(species, inner, one))


def each_of(nesting, value, act):
    if value is None or isinstance(value, Unknown):
        return value
    match nesting:
        case Nesting.LIST | Nesting.SET:
            return [act(one) for one in value]
        case Nesting.MAP:
            return {key: act(one) for key, one in value.items()}
        case _:
            return act(value)


def made(species, kind, prior, state):
    """Return what an object comes to be."""
    found = filled(kind, {**state, "revision": 1 if prior is None else prior["revision"] + 1}, "")
    if same({**found, "revision": state["revision"]}, state) and isinstance(state["revision"], int):
        found["revision"] = state["revision"]
    if state["id"] == UNKNOWN:
        found["id"] = f"id-{found['name']}"
    if species.old:
        found["size"] = 0 if found["size"] is None else found["size"]
    return found


def filled(kind, value, mark):
    match kind, value:
        case _, Unknown():
            return invented(kind, mark)
        case Structure(members), dict():
            beside = mark_of({name: each for name, each in value.items() if not unknown_in(each)})
            return {name: filled(members[name], each, f"{name}-{beside}") for name, each in value.items()}
        case Collection(Kind.MAP, element), dict():
            return {key: filled(element, each, f"{mark}-{key}") for key, each in value.items()}
        case Collection(_, element), list():
            return [filled(element, each, mark) for each in value]
        case _:
            return value


def unknown_in(value):
    match value:
        case Unknown():
            return True
        case dict():
            return any(map(unknown_in, value.values()))
        case list():
            return any(map(unknown_in, value))
        case _:
            return False


def mark_of(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:6]


def invented(kind, mark):
    match kind:
        case _ if kind is NUMBER:
            return int(mark_of(mark), 16) % 1000
        case _ if kind is BOOL:
            return True
        case _ if kind in {STRING, DYNAMIC}:
            return mark
        case Structure(members):
            return {name: invented(each, f"{mark}-{name}") for name, each in members.items()}
        case Collection(Kind.MAP, element):
            return {"found": invented(element, mark)}
        case Collection(_, element):
            return [invented(element, mark)]
