"""Events find the runs that wait for them: each once, in order, and through every death of the engine."""

from __future__ import annotations

import asyncio

import pytest

from core.simulation import TOOLS
from dirigent.engine.events.ears import Ears
from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import CancelRequested, Heard, Listening, Resumed, Suspended, Unheard
from dirigent.model.run.start import Start
from dirigent.service.views import view
from engine.harness import RUN, Case, calm_life, die_everywhere, living, rounds
from engine.workflows import document, outside_of

ONE = "do: [{hear: {listen: {to: {one: {with: {type: paid}}}}}}]"
TALK = """
do:
  - both:
      fork:
        branches:
          - tell:
              for: {each: n, in: '${ [range(4)] }'}
              do:
                - pause: {wait: {seconds: 1}}
                - say: {emit: {event: {with: {source: /shop, type: paid, data: '${ $n }'}}}}
          - hear:
              listen:
                to: {any: [{with: {type: paid}}], until: '${ length == 3 }'}
              foreach:
                item: event
                do:
                  - work: {call: http, with: {method: post, endpoint: 'https://a.example', body: '${$event}'}}
                output: {as: '${ $event * 10 }'}
          - first: {listen: {to: {one: {with: {type: paid}}}}}
          - late:
              do:
                - pause: {wait: {seconds: 10}}
                - hear: {listen: {to: {all: [{with: {data: '${ . < 4 }'}}]}}}
"""


def event(n=1, kind="paid", **more):
    return {"specversion": "1.0", "id": str(n), "source": "/test", "type": kind, "data": n, **more}


def kinds(outside, *wanted):
    return [fact for fact in outside.journal if isinstance(fact, wanted)]


async def started(engine, outside, *runs):
    for run in runs or (RUN,):
        await engine.start(Start(RunId(run), outside.case.program, outside.case.input))


def test_a_run_hears_what_others_emit_through_every_death():
    deaths = die_everywhere(Case(document(TALK)), second=(2, 5))
    assert deaths > 90
    print(deaths, "deaths")


def test_what_was_heard_is_what_was_said():
    outside = calm_life(Case(document(TALK)))
    tell, hear, first, late = outside.ended.output
    assert (tell["data"], hear, first, late) == (3, [0, 10, 20], [0], [3])


def test_a_run_that_hears_twice_is_caught(monkeypatch):
    # The control: a run that takes whatever it is offered hears the same event again and again.
    monkeypatch.setattr("dirigent.core.replay.listen.takes", lambda *_: True)
    # As after a restart: nobody remembers who has seen what.
    monkeypatch.setattr("dirigent.engine.events.memory.REMEMBERED", 0)
    assert calm_life(Case(document(TALK))).ended.output[1] == [0, 0, 0]


def test_an_event_that_came_before_the_listening_counts_and_one_before_the_run_does_not():
    outside = outside_of(
        "do: [{pause: {wait: {seconds: 5}}}, {hear: {listen: {to: {one: {with: {type: paid}}}}}}]"
    )

    async def test(engine):
        assert await engine.events.take([event(1)]) == [True]
        await outside.clock.sleep_until(1.0)
        await started(engine, outside)
        await engine.events.take([event(2)])
        return await engine.wait(RUN)

    assert living(test, outside).output == [2]


def test_an_event_is_taken_in_once_by_its_source_and_id():
    outside = outside_of(ONE)

    async def test(engine):
        assert await engine.events.take([event(1), event(1), event(2)]) == [True, False, True]
        assert await engine.events.take([event(1)]) == [False]
        assert await engine.events.take([event(1, source="/other")]) == [True]

    living(test, outside)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"type": "x"}, "E4100"),
        ([], "E4100"),
        (event(id=""), "E4100"),
        (event(Upper="x"), "E4100"),
        (event(time="yesterday"), "E4100"),
        (event(datacontenttype="json"), "E4100"),
        (event(dataschema="no uri"), "E4100"),
        (event(source=""), "E4100"),
        (event(ext=[1]), "E4100"),
        (event(data_base64="?"), "E4100"),
        (event(specversion="0.3"), "E4100"),
        (event(data="x" * 2_000_000), "E4101"),
    ],
)
def test_what_is_no_event_is_refused(bad, code):
    outside = outside_of(ONE)

    async def test(engine):
        with pytest.raises(Refusal) as refused:
            await engine.events.take([bad])
        assert refused.value.problems[0].code == code

    living(test, outside)


def test_a_suspended_run_hears_nothing_before_it_goes_on():
    outside = outside_of(ONE)

    async def test(engine):
        await started(engine, outside)
        await engine.tell(RUN, Suspended(0.0))
        await engine.events.take([event(1)])
        await rounds()
        assert not any(isinstance(fact, Heard) for fact in await engine.journal.read(RUN))
        await engine.tell(RUN, Resumed(0.0))
        return await engine.wait(RUN)

    assert living(test, outside).output == [1]


def test_a_cancelled_run_listens_no_more():
    outside = outside_of(ONE)

    async def test(engine):
        await started(engine, outside)
        await engine.tell(RUN, CancelRequested(0.0))
        await engine.wait(RUN)

    living(test, outside)
    assert len(kinds(outside, Unheard)) == 1
    assert outside.disk.listeners == {}


def test_a_time_out_ends_the_listening():
    outside = outside_of(
        "do: [{t: {try: [{hear: {listen: {to: {one: {with: {type: x}}}}, timeout: {after: {seconds: 3}}}}],"
        " catch: {as: e, do: [{s: {set: {status: '${ $e.status }'}}}]}}}]"
    )

    async def test(engine):
        await started(engine, outside)
        return await engine.wait(RUN)

    assert living(test, outside).output == {"status": 408}
    assert outside.disk.listeners == {}


def test_ten_thousand_that_wait_for_others_are_not_asked(monkeypatch):
    asked = []
    judge = Ears._judged

    async def counted(self, listener, arrived):
        asked.append(listener.run)
        return await judge(self, listener, arrived)

    monkeypatch.setattr(Ears, "_judged", counted)
    outside = outside_of("do: [{hear: {listen: {to: {one: {with: {type: '${ $workflow.input.type }'}}}}}}]")

    async def test(engine):
        for n in range(300):
            await engine.start(Start(RunId(f"r{n}"), outside.case.program, {"type": f"t{n}"}))
        await rounds(100)
        assert len(engine._memory) == 0, "who waits leaves memory"
        await engine.events.take([event(1, "t7")])
        assert (await engine.wait(RunId("r7"))).output == [1]
        assert asked == ["r7"]

    living(test, outside)


def test_a_task_that_listens_is_shown_as_waiting():
    outside = outside_of(ONE)

    async def test(engine):
        await started(engine, outside)
        return await engine.journal.read(RUN)

    seen = view(outside.case.program, RUN, living(test, outside), TOOLS)
    assert [(task.name, task.kind, task.status) for task in seen.tasks] == [("hear", "listen", "waiting")]


def test_who_listened_is_known_after_a_restart_and_has_missed_nothing():
    outside = outside_of(ONE)

    async def first(engine):
        await started(engine, outside)
        await rounds()

    async def second(engine):
        return await engine.wait(RUN)

    living(first, outside)
    assert len(kinds(outside, Listening)) == 1
    outside.disk.log(1.0, event(5))
    assert living(second, outside).output == [5]


def test_many_that_wait_for_one_event_all_have_it():
    outside = outside_of(ONE)
    runs = [RunId(f"r{n}") for n in range(30)]

    async def test(engine):
        await started(engine, outside, *runs)
        await rounds()
        await engine.events.take([event(1)])
        return await asyncio.gather(*(engine.wait(run) for run in runs))

    assert [ended.output for ended in living(test, outside)] == [[1]] * 30


@pytest.mark.parametrize(
    ("read", "gives"),
    [("data", 1), ("envelope", event(1)), ("raw", "MQ==")],
)
def test_an_event_is_read_as_the_task_says(read, gives):
    outside = outside_of(
        f"do: [{{hear: {{listen: {{to: {{one: {{with: {{type: paid}}}}}}, read: {read}}}}}}}]"
    )

    async def test(engine):
        await started(engine, outside)
        await engine.events.take([event(1)])
        return await engine.wait(RUN)

    assert living(test, outside).output == [gives]


def test_events_that_end_the_listening_are_not_in_the_output():
    outside = outside_of(
        "do: [{hear: {listen: {to: {any: [], until: {one: {with: {type: stop}}}}}, "
        "foreach: {at: i, output: {as: '${ [$i, $item] }'}, export: {as: '${ $output }'}}}}, "
        "{s: {set: {all: '${ . }', last: '${ $context }'}}}]"
    )

    async def test(engine):
        await started(engine, outside)
        await engine.events.take([event(1), event(2, "x"), event(3, "stop"), event(4)])
        return await engine.wait(RUN)

    assert living(test, outside).output == {"all": [[0, 1], [1, 2]], "last": [1, 2]}


def test_correlation_holds_for_one_activation():
    outside = outside_of(
        "do: [{twice: {for: {in: '${ [1, 2] }'}, do: [{hear: {listen: {to: {all: ["
        "{with: {type: a}, correlate: {k: {from: .data}}}, {with: {type: b}, correlate: {k: {from: .data}}}"
        "]}, read: envelope}, output: {as: '${[.[].id]}'}, export: {as: '${ [$context[]?, $output] }'}}}]}},"
        " {s: {set: {seen: '${ $context }'}}}]"
    )

    async def test(engine):
        await started(engine, outside)
        pairs = [("1", "a", 1), ("2", "b", 2), ("3", "b", 1), ("4", "a", 2)]
        await engine.events.take([event(data=data, type=kind, id=key) for key, kind, data in pairs])
        return await engine.wait(RUN)

    assert living(test, outside).output == {"seen": [["1", "3"], ["2", "4"]]}


@pytest.mark.parametrize(
    "wrong",
    ["source: ''", "source: 'a b'", "time: x", "subject: '${ 7 }'", "ext: '${ [1] }'"],
)
def test_an_event_that_is_none_is_a_fault_of_its_task(wrong):
    given = ["source: /x", "type: t"]
    parts = [part for part in given if part.split(":")[0] != wrong.split(":")[0]] + [
        wrong.replace("''", "'${ \"\" }'")
        .replace("'a b'", "'${ \"a b\" }'")
        .replace("time: x", "time: '${ \"x\" }'")
    ]
    outside = outside_of(f"do: [{{e: {{emit: {{event: {{with: {{{', '.join(parts)}}}}}}}}}}}]")

    async def test(engine):
        await started(engine, outside)
        return await engine.wait(RUN)

    ended = living(test, outside)
    assert ended.phase == "faulted"
    assert ended.fault.status == 400
    assert "cannot be emitted" in ended.fault.detail
