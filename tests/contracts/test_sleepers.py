"""The contract of `ports.Journal` for runs that sleep: when they wake, what is known of them, snapshots."""

import pytest

from contracts.facts import begin, done
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Created, Ended, Resumed, Succeeded, Suspended, TimerSet
from dirigent.ports import AWAKE, NEVER, Past
from stores.samples import AT, PAY, PROGRAM, in_loop

ALL = (-1.0, "")


@in_loop
async def test_who_has_something_to_do_is_told_by_time_then_by_id(store):
    digest = await store.keep(PROGRAM)
    for run, at in (("d", 30.0), ("b", AWAKE), ("c", NEVER), ("e", 10.5), ("a", 30.0)):
        await store.append(run, 0, [Created(AT, digest, None)], at)
    expected = [(AWAKE, "b"), (10.5, "e"), (30.0, "a"), (30.0, "d"), (NEVER, "c")]
    assert await store.wakings(ALL, 10) == expected
    assert await store.wakings(ALL, 2) == expected[:2]
    assert await store.wakings((30.0, "a"), 10) == expected[3:]
    assert await store.wakings((NEVER, "c"), 10) == []


@in_loop
async def test_each_append_says_anew_when_the_run_wakes_and_its_end_that_it_never_does(store):
    await begin(store)
    assert await store.wakings(ALL, 10) == [(AWAKE, "r")]
    await store.append("r", 1, [TimerSet(AT, PAY, 1, "wait", AT + 9)], AT + 9)
    assert await store.wakings(ALL, 10) == [(AT + 9, "r")]
    await store.append("r", 2, [Suspended(AT)], NEVER)
    assert await store.wakings(ALL, 10) == [(NEVER, "r")]
    await store.append("r", 3, [], 7.0)
    assert await store.wakings(ALL, 10) == [(7.0, "r")]
    await store.append("r", 3, [Resumed(AT)])
    assert await store.wakings(ALL, 10) == [(AWAKE, "r")]
    await store.append("r", 4, [Ended(AT, "completed")], 7.0)
    assert await store.wakings(ALL, 10) == []


@in_loop
async def test_a_refused_append_says_nothing_about_waking(store):
    await begin(store)
    with pytest.raises(Refusal):
        await store.append("r", 7, [done()], 5.0)
    assert await store.wakings(ALL, 10) == [(AWAKE, "r")]


@in_loop
async def test_a_sleeper_is_counted_whole_whoever_opens_the_store(place):
    first = place.open()
    await begin(first)
    await first.append("r", 1, [done(1), TimerSet(AT, PAY, 1, "wait", AT)], AT)
    await first.append("r", 3, [done(2)], NEVER)
    assert (await first.run("r")).facts == 4
    await first.append("r", 4, [done(3)])
    assert (await first.run("r")).facts == 5
    await first.append("r", 5, [done(4)], AT)
    second = place.open()
    assert (await second.run("r")).facts == 6
    assert await second.wakings(ALL, 9) == [(AT, "r")]
    await second.append("r", 6, [done(5)])
    assert [fact.attempt for fact in (await second.read("r"))[1:] if isinstance(fact, Succeeded)] == [
        *range(1, 6)
    ]


@in_loop
async def test_a_journal_is_read_from_any_position(store):
    await begin(store)
    for n in range(1, 9):
        await begin(store, f"other-{n}")
        await store.append("r", n, [done(n, "x" * 40_000 if n % 3 else n)])
    facts = await store.read("r")
    for since in range(12):
        assert await store.read("r", since) == facts[since:]
    assert await store.read("nobody", 3) == []


@in_loop
async def test_many_pasts_are_recalled_at_once_each_whole_and_in_the_order_of_the_question(store):
    runs = [f"r{n}" for n in range(30)]
    for run in runs:
        await begin(store, run)
    for n in range(1, 40):
        for run in runs[: n % 30 + 1]:
            facts = (await store.run(run)).facts
            await store.append(run, facts, [done(facts, run if n % 7 else run * 20_000)])
    asked = [*reversed(runs), "nobody"]
    pasts = await store.recall(asked)
    assert [past.facts for past in pasts] == [await store.read(run) for run in asked]
    assert {(past.position, past.snapshot) for past in pasts} == {(0, None)}
    assert await store.recall([]) == []


@in_loop
async def test_a_snapshot_stands_for_the_first_facts_until_the_run_ends(store):
    await begin(store)
    await store.append("r", 1, [done(1), done(2)])
    await store.keep_snapshot("r", 3, b"first")
    assert await store.recall(["r"]) == [Past([], 3, b"first")]
    await store.append("r", 3, [done(3)])
    await store.append("r", 4, [done(4)], NEVER)
    assert await store.recall(["r"]) == [Past([done(3), done(4)], 3, b"first")]
    await store.keep_snapshot("r", 4, b"second")
    assert await store.recall(["r"]) == [Past([done(4)], 4, b"second")]
    assert len(await store.read("r")) == 5
    await store.append("r", 5, [Ended(AT, "completed")])
    (past,) = await store.recall(["r"])
    assert (past.position, past.snapshot, len(past.facts)) == (0, None, 6)


@in_loop
async def test_a_snapshot_of_what_never_was_is_not_kept(store):
    await begin(store)
    await begin(store, "over")
    await store.append("over", 1, [Ended(AT, "completed")])
    await store.keep_snapshot("r", 2, b"too far")
    await store.keep_snapshot("over", 1, b"too late")
    await store.keep_snapshot("nobody", 0, b"whose")
    assert {past.snapshot for past in await store.recall(["r", "over", "nobody"])} == {None}


@in_loop
async def test_a_snapshot_with_facts_before_and_behind_it_in_many_stretches(store):
    await begin(store)
    await begin(store, "noise")
    length = 1
    for n in range(1, 1400):
        await store.append("r" if n % 7 == 0 else "noise", n // 7 if n % 7 == 0 else length, [done(n)])
        length += n % 7 != 0
        if n % 420 == 0:
            await store.keep_snapshot("r", n // 7 + 1, b"%d" % n)
    (past, other) = await store.recall(["r", "noise"])
    facts = await store.read("r")
    assert (past.snapshot, past.facts) == (b"1260", facts[past.position :])
    assert other.facts == await store.read("noise")
    assert [await store.read("r", since) for since in range(0, 200, 13)] == [
        facts[since:] for since in range(0, 200, 13)
    ]
