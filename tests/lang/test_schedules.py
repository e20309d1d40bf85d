"""The section `schedule` of documents, the section `schedules` of a stack, and the calendar of both."""

from itertools import islice

import pytest

from dirigent.app.resources import TYPES
from dirigent.lang.schedule.calendar import cron_fault, occurrences, put_off, run_of, stamp, zone_fault
from dirigent.lang.schedule.program import program_of
from dirigent.lang.schedule.reading import moment_of
from dirigent.model.problem import Refusal
from dirigent.model.run.schedule import KIND, Schedule, worded
from dirigent.service.stacks import load_stack

FLOW = """
workflows:
  report:
    document: {dsl: 1.0.3, namespace: shop, name: report, version: 1.0.0}
    SCHEDULE
    do:
      - draw: {set: {ok: true}}
"""


def stack(tmp_path, said="", written=""):
    file = tmp_path / "stack.yaml"
    schedules = f"schedules:\n  {said}\n" if said else ""
    flow = FLOW.replace("SCHEDULE", f"schedule: {written}" if written else "evaluate: {mode: strict}")
    file.write_text(f"stack: shop\n{schedules}{flow}")
    return load_stack(file, TYPES).stack


def refused(tmp_path, said="", written=""):
    with pytest.raises(Refusal) as caught:
        stack(tmp_path, said, written)
    problems = caught.value.problems
    assert all(problem.at is not None for problem in problems)
    return [problem.code for problem in problems]


@pytest.mark.parametrize(
    ("said", "written", "expected"),
    [
        ("", "{every: {minutes: 5}}", Schedule(every=300.0)),
        ("", "{every: PT5M}", Schedule(every=300.0)),
        ("", "{after: {seconds: 5}}", Schedule(after=5.0)),
        ("", "{cron: '0 3 * * MON'}", Schedule(cron="0 3 * * MON")),
        ("report: {every: PT1M}", "", Schedule(every=60.0)),
        ("report: {every: PT1M}", "{cron: '0 3 * * *'}", Schedule(every=60.0)),
        (
            "report: {zone: Europe/Berlin, misfire: all, overlap: skip, jitter: PT1M}",
            "{cron: '0 3 * * *'}",
            Schedule(cron="0 3 * * *", zone="Europe/Berlin", misfire="all", overlap="skip", jitter=60.0),
        ),
        (
            "report: {start: '1970-01-01T00:01:00Z', end: '1970-01-01T03:00:00+01:00'}",
            "{every: PT1M}",
            Schedule(every=60.0, start=60.0, end=7200.0),
        ),
    ],
)
def test_what_a_stack_says_lies_over_what_the_document_says(tmp_path, said, written, expected):
    assert stack(tmp_path, said, written).schedules == {"report": expected}


def test_a_workflow_without_a_schedule_has_none(tmp_path):
    assert stack(tmp_path).schedules == {}


@pytest.mark.parametrize(
    ("said", "written", "codes"),
    [
        ("", "{cron: '61 * * * *'}", ["E2060"]),
        ("", "{cron: '0 0 30 2 *'}", ["E2060"]),
        ("", "{cron: 'now'}", ["E2060"]),
        ("", "{cron: 5}", ["E1201"]),
        ("", "{}", ["E2061"]),
        ("", "{every: PT1M, after: PT1M}", ["E2061"]),
        ("", "{every: {milliseconds: 99}}", ["E2062"]),
        ("", "{every: {milliseconds: 0}}", ["E2062"]),
        ("", "{every: soon}", ["E1308"]),
        ("", "{until: never}", ["E2061", "E1203"]),
        ("", "[every]", ["E1201"]),
        ("", "{every: {}}", ["E1308"]),
        ("", "{on: paid}", ["E1201"]),
        ("", "{on: {}}", ["E1209"]),
        ("", "{on: {one: {with: {}}}}", ["E1971"]),
        ("", "{on: {one: {with: {Type: a}}}}", ["E1972"]),
        ("", "{on: {one: {with: {type: 'a('}}}}", ["E1973"]),
        ("", "{on: {one: {with: {type: a, data: '${ $input.n == . }'}}}}", ["E1940"]),
        ("", "{on: {any: [], until: $secrets.x}}", ["E1940", "E1303"]),
        ("", "{on: {any: [], until: $count == 2}}", ["E1302"]),
        ("", "{on: {one: {with: {type: a}, correlate: {n: {from: .n, expect: '${ .m }'}}}}}", ["E1947"]),
        ("", "{on: {one: {with: {type: a}}}, every: PT1M}", ["E2061"]),
        ("report: {misfire: all, jitter: PT1M}", "{on: {one: {with: {type: a}}}}", ["E1948", "E1948"]),
        ("report: {zone: Europe/Berlin, on: {any: []}}", "", ["E1948"]),
        ("report: {on: {one: {with: {type: 'a('}}}}", "", ["E1973"]),
        ("report: {on: {one: {with: {type: a}}}, cron: '* * * * *'}", "", ["E2061"]),
        ("report: {zone: Europe/Berln}", "{every: PT1M}", ["E2063"]),
        ("report: {zone: ../../etc/passwd}", "{every: PT1M}", ["E2063"]),
        ("report: {start: tomorrow}", "{every: PT1M}", ["E2064"]),
        ("report: {misfire: some}", "{every: PT1M}", ["E1206"]),
        ("report: {overlap: maybe}", "{every: PT1M}", ["E1206"]),
        ("report: {jitter: some}", "{every: PT1M}", ["E1308"]),
        ("report: {every: PT1M, cron: '* * * * *'}", "", ["E2061"]),
        ("reprot: {every: PT1M}", "", ["E2065"]),
        ("report: {misfire: all}", "", ["E2066"]),
    ],
)
def test_what_is_wrong_is_refused_in_its_place(tmp_path, said, written, codes):
    assert sorted(refused(tmp_path, said, written)) == sorted(codes)


def test_a_program_says_when_it_runs():
    program = program_of("shop.report", Schedule(every=5.0), "d", {"n": "${ .x }"}, {})
    assert (program.kind, program.definition["when"]) == (KIND, "every 5 s")
    assert worded(Schedule(after=2.5)) == "2.5 s after the end of the last"
    assert worded(Schedule(cron="* * * * *")) == "cron * * * * * (UTC)"


def test_times_lie_on_the_grid_of_their_anchor():
    assert list(islice(occurrences(Schedule(every=0.1), 0.35, 0.0), 3)) == [0.4, 0.5, 0.6]
    assert list(islice(occurrences(Schedule(every=7.0), 100.0, 3.0), 2)) == [101.0, 108.0]
    assert list(occurrences(Schedule(every=7.0, end=12.0), 0.0, 0.0)) == [7.0]
    assert list(occurrences(Schedule(after=7.0), 0.0, 0.0)) == []


def test_jitter_is_drawn_for_a_schedule_and_a_time():
    schedule = Schedule(every=7.0, jitter=60.0)
    drawn = {put_off(schedule, name, at) - at for name in ("a", "b") for at in (7.0, 14.0)}
    assert len(drawn) == 4
    assert all(0 <= each < 60 for each in drawn)
    assert put_off(schedule, "a", 7.0) == put_off(schedule, "a", 7.0)


def test_a_run_is_named_by_its_schedule_and_its_time():
    assert run_of("shop.report", 0.0) == "shop.report@1970-01-01T00:00:00Z"
    assert stamp(0.25) == "1970-01-01T00:00:00.250Z"
    assert moment_of(stamp(1e9)) == 1e9


def test_what_is_right_has_no_fault():
    assert (cron_fault("0 3 * * *"), zone_fault("UTC"), zone_fault("Europe/Berlin")) == ("", "", "")
