"""The process dies at every place, and again; nothing that the world or a client sees may differ."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.laws import assert_lawful
from core.programs import samples, worlds
from core.simulation import Simulation
from core.test_properties import inputs, people, seldom
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.program import OnDoubt
from dirigent.model.run.effect import Broken, Done
from dirigent.model.run.journal import Held, Intended, Repeated, Vouched
from dirigent.testing import MemoryStore, Rule
from engine.harness import Case, Outside, calm_life, die_everywhere, random_case
from engine.workflows import OPEN, SCENARIOS, an_apply, document, scenario

CALL = "do: [{charge: {run: {shell: {command: charge}}}}, {last: {set: {got: '${ . }'}}}]"
deaths = {}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - OPEN))
def test_a_crash_anywhere_and_another_one_after_it_changes_nothing(name, monkeypatch):
    deaths[name] = die_everywhere(scenario(name, monkeypatch), second=(1, 4))


@pytest.mark.slow
def test_a_crash_anywhere_in_an_apply_changes_no_row_twice():
    case = an_apply()
    deaths["apply"] = die_everywhere(case, second=(1, 2, 3, 4))
    calm = calm_life(case)
    for place in range(1, calm.places[-1] + 1):
        outside = Outside(case, deaths=(place,))
        outside.live()
        assert rows_of(outside) == rows_of(calm), f"died at place {place}"


def rows_of(outside):
    async def read():
        store = MemoryStore(outside.disk)
        rows = await store.rows()
        return rows, [[row for _, _, row in await store.history(each.address)] for each in rows]

    return asyncio.run(read())


@pytest.mark.slow
@settings(max_examples=25, **seldom)
@given(samples(slow=False), worlds, inputs)
def test_a_crash_anywhere_in_a_random_program_changes_nothing(sample, world, given):
    case = random_case(sample.program, world, given)
    deaths[sample] = die_everywhere(case, second=(2,))


@pytest.mark.slow
@settings(max_examples=80, **seldom)
@given(samples(), worlds, inputs, people(), st.data())
def test_many_deaths_of_a_random_run_with_people_leave_a_lawful_journal(sample, world, given, said, data):
    words = tuple((at, lambda at, held, kind=kind: kind(at)) for at, kind in said)
    case = random_case(sample.program, world, given, words)
    places = data.draw(st.lists(st.integers(1, 12), max_size=5))
    outside = Outside(case, deaths=tuple(places))
    ended = outside.live()
    lawful = Simulation(sample.program, world.of, given)
    for fact in outside.journal:
        lawful.record(fact)
    assert lawful.facts[-1] == ended
    assert_lawful(sample.program, lawful.facts, lawful.moments)


def test_the_places_of_death_are_counted(capsys):
    """Runs last in this file: it tells how many times the process died above."""
    with capsys.disabled():
        print(f"\n{sum(deaths.values())} deaths at every place of {len(deaths)} runs")
    assert all(deaths.values())


# -- doubt ------------------------------------------------------------------------------------------


def places_of(case):
    return range(1, calm_life(case).places[-1] + 1)


def test_an_effect_that_nobody_can_tell_the_end_of_is_held_and_never_repeated():
    rule = Rule(answers=(Done("ok"),), doubt="unknown")
    vouch = (60.0, lambda at, held: Vouched(at, *held, "ok"))
    case = Case(document(CALL), (rule,), people=(vouch,))
    held = 0
    for place in places_of(case):
        outside = Outside(case, deaths=(place,))
        outside.case = replace(case, metadata={"doubt": "hold"})
        ended = outside.live()
        assert ended.output == {"got": "ok"}, place
        assert max(outside.happened.values(), default=0) <= 1, place
        held += any(isinstance(fact, Held) for fact in outside.journal)
    # Before the effect, after it, and before its result is durable: three places of doubt, and one more
    # where the intent is durable and the engine does not know.
    assert held == 4


@pytest.mark.slow
def test_a_person_has_it_repeated_and_dies_meanwhile():
    rule = Rule(answers=(Done("ok"),), doubt="unknown")
    again = (60.0, lambda at, held: Repeated(at, *held))
    case = Case(document(CALL), (rule,), people=(again, (90.0, again[1]), (120.0, again[1])))
    for first in places_of(case):
        for second in range(1, 8):
            outside = Outside(case, deaths=(first, second))
            assert outside.live().output == {"got": "ok"}, (first, second)
            attempts = [fact.attempt for fact in outside.journal if isinstance(fact, Intended)]
            assert attempts == [1]


@pytest.mark.parametrize(
    ("policy", "kind"), [(OnDoubt.HOLD, Held), (OnDoubt.REPEAT, None), (OnDoubt.SKIP, None)]
)
def test_an_answer_that_leaves_it_open_is_treated_as_the_stack_says(policy, kind):
    lost = Broken(Fault(COMMUNICATION, 503, "Connection lost", doubtful=True))
    retry = "{retry: {limit: {attempt: {count: 1}}}}"
    retried = f"do: [{{t: {{try: [{{charge: {{run: {{shell: {{command: charge}}}}}}}}], catch: {retry}}}}}]"
    done = (60.0, lambda at, held: Vouched(at, *held, "vouched"))
    case = Case(
        document(retried),
        (Rule(answers=(lost, Done("second"))),),
        people=(done,),
        metadata={"doubt": policy.value},
    )
    outside = Outside(case)
    wanted = {OnDoubt.HOLD: "vouched", OnDoubt.REPEAT: "second", OnDoubt.SKIP: None}
    assert outside.live().output == wanted[policy]
    assert (kind in {type(fact) for fact in outside.journal}) == (kind is Held)
