"""States in JSON: where any type is allowed, the type stands beside the value."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from dirigent.model.values import Unknown
from dirigent.providers.tofu.values.conversion import converted
from dirigent.providers.tofu.values.paths import Misfit
from dirigent.providers.tofu.values.stored import restored, stored
from dirigent.providers.tofu.values.types import DYNAMIC, NUMBER, STRING, Collection, Kind, Structure
from providers.tofu.samples import TYPES, values


def known(value):
    match value:
        case Unknown():
            return False
        case dict():
            return all(map(known, value.values()))
        case list():
            return all(map(known, value))
        case _:
            return True


@given(TYPES.flatmap(lambda kind: some.tuples(some.just(kind), values(kind).filter(known))))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_what_is_stored_is_restored(pair):
    kind, value = pair
    assert restored(json.loads(json.dumps(stored(value, kind))), kind) == converted(value, kind)


def test_a_value_of_any_type_says_which_it_has():
    kind = Structure({"any": DYNAMIC, "plain": Collection(Kind.MAP, DYNAMIC)})
    found = stored({"any": [1, "a"], "plain": {"x": True}}, kind)
    assert found == {
        "any": {"value": [1, "a"], "type": ["tuple", ["number", "string"]]},
        "plain": {"x": {"value": True, "type": "bool"}},
    }


def test_what_an_earlier_release_kept_goes_as_it_is():
    assert stored({"gone": {"a": 1}, "size": "3"}, Structure({"size": NUMBER})) == {
        "gone": {"a": 1},
        "size": "3",
    }
    with pytest.raises(Misfit, match="gone"):
        restored({"gone": 1}, Structure({"size": NUMBER}))


def test_a_type_that_is_none_is_refused():
    with pytest.raises(Misfit, match="heap"):
        restored({"value": 1, "type": ["heap"]}, DYNAMIC)
    assert restored(5, STRING) == "5"
