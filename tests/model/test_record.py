"""Data classes whose methods come late do what those of the standard library do."""

from __future__ import annotations

import copy
import dataclasses
import inspect
from dataclasses import FrozenInstanceError, field

import pytest

from dirigent.model.record import dataclass

FORMS = {
    "frozen": {"frozen": True, "slots": True},
    "frozen, by identity": {"frozen": True, "slots": True, "eq": False},
    "mutable": {"slots": True},
    "mutable, by identity": {"slots": True, "eq": False},
    "frozen, open": {"frozen": True},
}
DECORATORS = (dataclass, dataclasses.dataclass)
GIVEN = [
    ((1,), {}),
    ((1, "b"), {}),
    ((1, "b", [3]), {}),
    ((1, "b", [3], 4), {}),
    ((), {"first": 1, "last": 9}),
    ((1,), {"made": []}),
    ((), {}),
    ((1,), {"first": 2}),
    ((1, "b", [3], 4, 5), {}),
    ((1,), {"unknown": 1}),
]


def pair(decorated, form):
    """The same class, through our decorator and through that of the standard library."""
    return [decorated(decorate(**FORMS[form])) for decorate in DECORATORS]


def with_all_kinds_of_fields(decorate):
    @decorate
    class Thing:
        """It has a field of each kind."""

        first: int
        second: str = "two"
        made: list[int] = field(default_factory=list)
        last: int = field(default=7, kw_only=True)
        unseen: str = field(default="-", repr=False, compare=False)
        fixed: tuple[int, ...] = field(default=(1,), init=False)
        own: dict[str, int] = field(default_factory=dict, init=False)

    return Thing


def outcome(act):
    try:
        return act()
    except (TypeError, AttributeError) as failure:
        return type(failure), str(failure).partition(".<locals>.")[2]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("values", "named"), GIVEN)
def test_it_is_built_as_by_the_standard_library(form, values, named):
    ours, theirs = pair(with_all_kinds_of_fields, form)

    def built(cls):
        thing = cls(*values, **named)
        return {each.name: getattr(thing, each.name) for each in dataclasses.fields(thing)}, repr(thing)

    for _ in range(2):  # the first time writes the method, the second has it
        assert outcome(lambda: built(ours)) == outcome(lambda: built(theirs))


@pytest.mark.parametrize("form", FORMS)
def test_it_is_compared_hashed_and_shown_as_by_the_standard_library(form):
    def traits(cls):
        one, same, other = cls(1), cls(1, unseen="!"), cls(2)
        equal = [one == same, one == other, one != same, one == "text", one.__eq__("text")]
        hashed = outcome(lambda: hash(one) == hash(same))
        return equal, hashed, repr(one), cls.__match_args__, cls.__hash__ is None

    def without_lists(decorate):
        @decorate
        class Thing:
            first: int
            unseen: str = field(default="-", compare=False)

        return Thing

    ours, theirs = pair(without_lists, form)
    assert traits(ours) == traits(theirs)
    assert traits(ours) == traits(theirs)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_frozen_refuses_in_the_same_words(form):
    def attempts(cls):
        thing = cls(1)
        yield outcome(lambda: setattr(thing, "first", 2))
        yield outcome(lambda: delattr(thing, "first"))
        yield getattr(thing, "first", "gone")

    ours, theirs = pair(with_all_kinds_of_fields, form)
    assert list(attempts(ours)) == list(attempts(theirs))


def test_assignment_to_a_frozen_one_is_the_error_that_it_always_was():
    thing = pair(with_all_kinds_of_fields, "frozen")[0](1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'first'"):
        thing.first = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'first'"):
        del thing.first


@pytest.mark.parametrize("form", FORMS)
def test_it_is_replaced_copied_and_taken_apart_by_the_standard_library(form):
    ours, theirs = pair(with_all_kinds_of_fields, form)
    for cls in (ours, theirs):
        thing = dataclasses.replace(cls(1, "b"), first=5)
        twin = copy.deepcopy(thing)
        assert dataclasses.asdict(thing) == dataclasses.asdict(twin) == dataclasses.asdict(copy.copy(thing))
        assert dataclasses.is_dataclass(cls)
        match thing:
            case cls(first, second):
                assert (first, second) == (5, "b")


@pytest.mark.parametrize("form", ["frozen", "mutable"])
def test_an_heir_has_all_fields_and_its_own_methods(form):
    def family(decorate):
        @decorate
        class Parent:
            first: int

            def __repr__(self):
                return f"<{self.first}>"

        @decorate
        class Child(Parent):
            second: int = 2

            def __eq__(self, other):
                return True

            def __hash__(self):
                return 7

            def __post_init__(self):
                self.check()

            def check(self):
                if self.second == 0:
                    raise TypeError("no .<locals>.zero")

        return Parent, Child

    def traits(parent, child):
        zero = outcome(lambda: child(1, 0))
        shown = repr(parent(1)), repr(child(1)).partition(".<locals>.")[2]
        return shown, child(1).first, child(1, 3).second, child(1) == child(2, 2), hash(child(1)), zero

    ours, theirs = (family(lambda cls, wanted=each: wanted(**FORMS[form])(cls)) for each in DECORATORS)
    assert traits(*ours) == traits(*theirs)
    assert traits(*ours)[-1] == (TypeError, "zero")


def test_the_methods_that_are_written_are_as_fast_to_reach_as_any():
    cls = pair(with_all_kinds_of_fields, "frozen")[0]
    before = cls.__dict__["__init__"]
    cls(1)
    written = cls.__dict__["__init__"]
    assert written is not before
    cls(2)
    assert cls.__dict__["__init__"] is written
    assert list(inspect.signature(cls).parameters) == ["first", "second", "made", "unseen", "last"]


def test_a_class_without_words_is_called_by_its_name():
    @dataclass(frozen=True, slots=True)
    class Bare:
        first: int

    assert Bare.__doc__ == "Bare"
