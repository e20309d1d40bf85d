"""The contract of a store: `ports.Journal` and `ports.Shelf`, in memory and in SQLite alike."""

import asyncio
from dataclasses import replace

import pytest

from contracts.facts import begin, done
from databases.seizing import Seizing
from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import (
    Abandoned,
    CancelRequested,
    Created,
    Ended,
    Failed,
    Held,
    Intended,
    Repeated,
    ResourceChanged,
    Resumed,
    Skipped,
    Succeeded,
    Suspended,
    TimerSet,
    Vouched,
)
from stores.samples import AT, FACTS, PAY, PLAN, PROGRAM, code_of, in_loop, row

# --- The journal


@in_loop
async def test_what_was_appended_is_read_in_order(store):
    digest = await begin(store)
    await store.append("r", 1, [done(1), done(2)])
    await store.append("r", 3, [done(3)])
    assert await store.read("r") == [Created(AT, digest, {"order": 7}), done(1), done(2), done(3)]


@in_loop
async def test_every_kind_of_fact_is_read_as_it_was_appended(store):
    digest = await store.keep(PROGRAM)
    facts = [replace(FACTS[0], definition=digest), *FACTS[1:]]
    await store.append("r", 0, facts)
    assert await store.read("r") == facts


@in_loop
async def test_a_run_that_does_not_exist_is_empty(store):
    assert await store.read("nobody") == []
    assert await store.run("nobody") is None
    assert await store.runs() == []


@in_loop
async def test_runs_do_not_mix(store):
    for run in ("a", "b"):
        await begin(store, run)
    for n in range(1, 40):
        await store.append("a", n, [done(n, "a")])
        await store.append("b", n, [done(n, "b")])
    assert {fact.output for fact in (await store.read("a"))[1:]} == {"a"}
    assert [fact.attempt for fact in (await store.read("b"))[1:]] == list(range(1, 40))


@in_loop
async def test_an_append_at_the_wrong_position_is_refused_and_leaves_nothing(store):
    await begin(store)
    for expected in (0, 2, -1):
        with pytest.raises(Refusal) as caught:
            await store.append("r", expected, [done()])
        assert code_of(caught) == "E5001"
    assert len(await store.read("r")) == 1


@in_loop
async def test_two_who_append_at_one_position_cannot_both_win(store):
    await begin(store)
    answers = await asyncio.gather(
        *(store.append("r", 1, [done(n), done(n)]) for n in range(10)), return_exceptions=True
    )
    assert [answer is None for answer in answers].count(True) == 1
    assert {problem.code for answer in answers if answer for problem in answer.problems} == {"E5001"}
    first, second = (await store.read("r"))[1:]
    assert first == second


@in_loop
async def test_a_refused_append_does_not_spoil_those_beside_it(store):
    for run in ("a", "b", "c"):
        await begin(store, run)
    answers = await asyncio.gather(
        store.append("a", 1, [done()]),
        store.append("b", 7, [done()]),
        store.append("nobody", 0, [done()]),
        store.append("c", 1, [done()]),
        return_exceptions=True,
    )
    assert [answer and answer.problems[0].code for answer in answers] == [None, "E5001", "E5007", None]
    assert [len(await store.read(run)) for run in ("a", "b", "c", "nobody")] == [2, 1, 2, 0]


@in_loop
async def test_facts_out_of_order_are_refused_whole(store):
    digest = await begin(store)
    created, ended = Created(AT, digest, None), Ended(AT, "completed")
    for facts in ([done(), created], [ended, done()], [ended, ended]):
        with pytest.raises(Refusal) as caught:
            await store.append("r", 1, facts)
        assert code_of(caught) == "E5007"
    assert (await store.run("r")).phase == "running"
    await store.append("r", 1, [ended])
    with pytest.raises(Refusal) as caught:
        await store.append("r", 2, [done()])
    assert code_of(caught) == "E5007"


@in_loop
async def test_a_run_of_an_unknown_definition_is_refused(store):
    with pytest.raises(Refusal) as caught:
        await store.append("r", 0, [Created(AT, "f" * 40, None)])
    assert code_of(caught) == "E5004"
    assert await store.run("r") is None


@in_loop
async def test_nothing_appended_to_a_run_changes_nothing(store):
    await begin(store)
    await store.append("r", 1, [])
    assert (await store.run("r")).facts == 1
    with pytest.raises(Refusal):
        await store.append("nobody", 0, [])


@in_loop
async def test_what_the_caller_changes_afterwards_is_not_what_was_stored(store):
    await begin(store)
    output = {"list": [1]}
    await store.append("r", 1, [done(output=output)])
    output["list"].append(2)
    (await store.read("r"))[1].output["list"].append(3)
    assert (await store.read("r"))[1].output == {"list": [1]}


@in_loop
async def test_two_hundred_appenders_at_once_all_get_through(store):
    runs = [f"r{n}" for n in range(200)]

    async def live(run):
        await begin(store, run)
        for n in range(1, 6):
            await store.append(run, n, [done(n, run)])
        await store.append(run, 6, [Ended(AT, "completed", run)])

    await asyncio.gather(*map(live, runs))
    for run in runs:
        facts = await store.read(run)
        assert [type(fact) for fact in facts] == [Created, *[Succeeded] * 5, Ended]
        assert facts[-1].output == run


@in_loop
async def test_a_payload_larger_than_a_row_comes_back_whole(store):
    await begin(store)
    large = done(1, {"text": "x" * (limits.PAYLOAD_INLINE_BYTES + 1), "more": [1, 2]})
    await store.append("r", 1, [large, done(2), large])
    assert (await store.read("r"))[1:] == [large, done(2), large]


@in_loop
async def test_a_payload_beyond_the_limit_is_refused(store):
    await begin(store)
    with pytest.raises(Refusal) as caught:
        await store.append("r", 1, [done(1), done(2, "x" * (2 * limits.PAYLOAD_BYTES))])
    assert code_of(caught) == "E5018"
    assert len(await store.read("r")) == 1


@in_loop
async def test_a_journal_has_a_limit(store, monkeypatch):
    await begin(store)
    monkeypatch.setattr(limits, "JOURNAL_FACTS", 3)
    await store.append("r", 1, [done()])
    with pytest.raises(Refusal) as caught:
        await store.append("r", 2, [done(), done()])
    assert code_of(caught) == "E5016"


@in_loop
async def test_an_append_whose_caller_is_cancelled_is_stored_whole_or_not_at_all(store):
    await begin(store)
    tasks = [asyncio.ensure_future(store.append("r", 1, [done(1), done(2)])) for _ in range(3)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(answer, asyncio.CancelledError | Refusal | None) for answer in answers)
    await begin(store, "later")
    assert len(await store.read("r")) == 3
    await store.append("r", 3, [done(3)])


# --- The fence


@in_loop
async def test_a_writer_that_was_taken_over_writes_nothing_more(place):
    old = place.open()
    await begin(old)
    new = place.open()
    await new.runs()
    for attempt in (old.append("r", 1, [done()]), old.append("s", 0, [done()])):
        with pytest.raises(Refusal) as caught:
            await attempt
        assert code_of(caught) == "E5002"
    if not isinstance(old, Seizing):  # In a database anybody may keep a definition; it is only ever added.
        with pytest.raises(Refusal) as caught:
            await old.keep(replace(PROGRAM, name="another"))
        assert code_of(caught) == "E5002"
    await new.append("r", 1, [done()])
    assert len(await new.read("r")) == 2


@in_loop
async def test_the_next_opening_finds_all_and_goes_on(place):
    first = place.open()
    digest = await begin(first)
    await first.append("r", 1, [Held(AT, PAY, 1, "?"), TimerSet(AT, PAY, 1, "wait", AT + 9)])
    await first.keep_plan(PLAN)
    await first.close()
    second = place.open()
    assert (await second.run("r")).phase == "held"
    assert await second.definition(digest) == PROGRAM
    assert await second.plan(PLAN.id) == PLAN
    with pytest.raises(Refusal):
        await second.append("r", 1, [done()])
    await second.append("r", 3, [Vouched(AT, PAY, 1, None), Ended(AT, "completed")])
    assert (await second.run("r")).phase == "completed"
    await begin(second, "s")
    assert [run.id for run in await second.runs()] == ["s", "r"]


@in_loop
async def test_a_closed_store_refuses(store):
    await begin(store)
    await store.close()
    await store.close()
    for use in (lambda: store.append("r", 1, [done()]), lambda: store.read("r"), store.runs):
        with pytest.raises(Refusal) as caught:
            await use()
        assert code_of(caught) == "E5017"


# --- What a fact changes beside the journal

OTHER = "/do/2/ship"
CANCEL, SUSPEND, RESUME = CancelRequested(AT), Suspended(AT), Resumed(AT)
HOLD, HOLD_OTHER = Held(AT, PAY, 1, "?"), Held(AT, OTHER, 1, "?")
FAULT = Fault("urn:t", 500, "Broken")

PHASES = [
    ([], "running"),
    ([Intended(AT, PAY, 1, None), done(), TimerSet(AT, PAY, 1, "wait", AT)], "running"),
    ([HOLD], "held"),
    ([HOLD, Vouched(AT, PAY, 1, None)], "running"),
    ([HOLD, Repeated(AT, PAY, 1)], "running"),
    ([HOLD, Skipped(AT, PAY, 1)], "running"),
    ([HOLD, Abandoned(AT, PAY, 1)], "running"),
    ([HOLD, Succeeded(AT, PAY, 1, None)], "running"),
    ([HOLD, Failed(AT, PAY, 1, FAULT)], "running"),
    ([HOLD, Succeeded(AT, OTHER, 1, None)], "held"),
    ([HOLD, HOLD_OTHER, Skipped(AT, PAY, 1)], "held"),
    ([HOLD, HOLD_OTHER, Skipped(AT, PAY, 1), Skipped(AT, OTHER, 1)], "running"),
    ([HOLD, HOLD_OTHER, Skipped(AT, OTHER, 1)], "held"),
    ([HOLD, HOLD, Skipped(AT, PAY, 1)], "running"),
    ([HOLD, Repeated(AT, PAY, 1), HOLD], "held"),
    ([SUSPEND], "suspended"),
    ([SUSPEND, RESUME], "running"),
    ([HOLD, SUSPEND], "suspended"),
    ([SUSPEND, HOLD, RESUME], "held"),
    ([CANCEL], "cancelling"),
    ([SUSPEND, CANCEL, HOLD], "cancelling"),
    ([HOLD, Ended(AT, "faulted", None, FAULT)], "faulted"),
    ([CANCEL, Ended(AT, "cancelled")], "cancelled"),
    ([Ended(AT, "completed", 1)], "completed"),
]


def name_of(facts):
    return "-".join(type(fact).__name__ for fact in facts) or "nothing"


@pytest.mark.parametrize("together", [True, False], ids=["together", "one-by-one"])
@pytest.mark.parametrize(("facts", "phase"), PHASES, ids=lambda part: name_of(part) if part else "nothing")
@in_loop
async def test_a_run_is_listed_in_the_phase_that_its_facts_say(store, facts, phase, together):
    digest = await begin(store, parent="p")
    steps = [facts] if together else [[fact] for fact in facts]
    length = 1
    for step in steps:
        await store.append("r", length, step)
        length += len(step)
    summary = await store.run("r")
    ended = facts[-1] if facts and isinstance(facts[-1], Ended) else None
    assert (summary.phase, summary.facts, summary.open) == (phase, length, ended is None)
    assert (summary.ended_at, summary.fault) == ((ended.at, ended.fault) if ended else (None, None))
    assert (summary.name, summary.kind, summary.definition) == ("place-order", "workflow", digest)
    assert (summary.created_at, summary.parent) == (AT, "p")
    assert await store.runs() == [summary]
    assert await store.runs(only_open=True) == ([] if ended else [summary])


@in_loop
async def test_runs_are_listed_newest_first_and_no_more_than_asked_for(store):
    for n in range(6):
        await begin(store, f"r{n}", at=AT - n)
    await store.append("r4", 1, [Ended(AT, "completed")])
    assert [run.id for run in await store.runs(limit=3)] == ["r5", "r4", "r3"]
    assert [run.id for run in await store.runs(only_open=True, limit=3)] == ["r5", "r3", "r2"]
    assert len(await store.runs()) == 6


@in_loop
async def test_rows_follow_the_facts_and_the_past_is_kept(store):
    await begin(store, "one")
    await begin(store, "two")
    await store.append("one", 1, [ResourceChanged(AT, "db", row("db")), ResourceChanged(AT, "api", row())])
    await store.append("two", 1, [ResourceChanged(AT + 1, "db", row("db", size=2))])
    assert await store.rows() == [row(), row("db", size=2)]
    await store.append("two", 2, [ResourceChanged(AT + 2, "db", None), done()])
    assert await store.rows() == [row()]
    assert await store.history("db") == [
        (AT, "one", row("db")),
        (AT + 1, "two", row("db", size=2)),
        (AT + 2, "two", None),
    ]
    assert await store.history("nothing") == []


@in_loop
async def test_rows_of_a_refused_append_are_not_changed(store):
    await begin(store)
    with pytest.raises(Refusal):
        await store.append("r", 5, [ResourceChanged(AT, "api", row())])
    assert await store.rows() == []
    assert await store.history("api") == []


@in_loop
async def test_rows_changed_at_once_by_many_runs_end_as_the_last_fact_says(store):
    runs = [f"r{n}" for n in range(20)]
    await asyncio.gather(*(begin(store, run) for run in runs))
    await asyncio.gather(
        *(store.append(run, 1, [ResourceChanged(AT, "api", row(by=run))]) for run in runs),
    )
    past = await store.history("api")
    assert len(past) == 20
    assert await store.rows() == [past[-1][2]]


# --- Definitions and plans


@in_loop
async def test_a_definition_is_kept_once_and_found_by_its_content(store):
    digest = await store.keep(PROGRAM)
    again = replace(PROGRAM)
    assert await store.keep(again) == digest
    assert await store.keep(replace(PROGRAM, version="1.0.1")) != digest
    assert await store.definition(digest) == PROGRAM
    with pytest.raises(Refusal) as caught:
        await store.definition("f" * 40)
    assert code_of(caught) == "E5004"


@in_loop
async def test_a_plan_is_kept_under_its_id_and_never_replaced(store):
    assert await store.plan(PLAN.id) is None
    assert not await store.applies.has_plan(PLAN.id)
    await store.keep_plan(PLAN)
    await store.keep_plan(replace(PLAN))
    changed = replace(PLAN, destroy=True)
    with pytest.raises(Refusal) as caught:
        await store.keep_plan(changed)
    assert code_of(caught) == "E5015"
    assert await store.plan(PLAN.id) == PLAN
    assert await store.applies.has_plan(PLAN.id)


@in_loop
async def test_of_two_plans_with_one_id_at_once_one_is_refused(store):
    plans = [replace(PLAN, destroy=flag) for flag in (True, False)]
    answers = await asyncio.gather(*map(store.keep_plan, plans), return_exceptions=True)
    assert [answer and answer.problems[0].code for answer in answers] == [None, "E5015"]
    assert await store.plan(PLAN.id) == plans[0]
