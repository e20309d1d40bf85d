"""`foreach` of a subscription: each message is a fact before anything is done with it."""

import pytest

from conformance.stage import RUN, program_of
from conformance.stage import probe as played
from dirigent.core.replay import replay
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.run.effect import Broken, Done
from dirigent.model.run.journal import Intended, Succeeded
from dirigent.testing import Rule
from engine.test_snapshot_law import TOOLS, assert_law, through

HEAD = "call: asyncapi, with: {document: {endpoint: 'file://a.json'}, operation: o, subscription: {"
KEEP = "do: [{keep: {set: {n: '${ $item.payload }', at: '${ $index }'}}}]"
LOST = Broken(Fault(COMMUNICATION, 500, "Call failed", "gone"))


def document(consume, each=KEEP, more=""):
    return f"do: [{{stream: {{{HEAD}consume: {consume}, foreach: {{{each}}}}}}}{more}}}}}]"


def message(number):
    return Done({"message": {"payload": number}, "cursor": number})


class Broker:
    """Gives messages one after the other, and remembers what it was asked."""

    def __init__(self, *outcomes):
        self.outcomes, self.asked = list(outcomes), []

    def __call__(self, order):
        self.asked.append(order.request["stream"])
        return Done(None) if order.request["stream"]["leave"] else self.outcomes.pop(0)


def probe(text, *outcomes):
    broker = Broker(*outcomes)
    return played(text, {}, Rule(answers=(broker,))), broker


def test_each_message_is_worked_on_before_the_next_is_taken():
    run, broker = probe(document("{amount: 3}"), *map(message, (7, 8, 9)))
    assert run.output == [{"n": 7, "at": 0}, {"n": 8, "at": 1}, {"n": 9, "at": 2}]
    assert run.order == ["stream", "keep", "keep", "keep"]
    assert [each["after"] for each in broker.asked] == [None, 7, 8]
    assert [each["last"] for each in broker.asked] == [False, False, True]
    assert len({each["id"] for each in broker.asked}) == 1, "all of them are of one stream"
    kinds = [type(fact) for fact in run.facts if isinstance(fact, Intended | Succeeded)]
    assert kinds == [Intended, Succeeded] * 3, "every message is a fact of its own"


@pytest.mark.parametrize(
    ("consume", "each", "worked_on"),
    [
        # What a message exports is seen by the condition that is asked after it: none is lost to an end.
        ("{until: '$context.n == 2'}", "export: {as: '{n: (($context.n // 0) + 1)}'}", [1, 2]),
        ("{while: '(($context.n // 0) + 0) < 2'}", "export: {as: '{n: (($context.n // 0) + 1)}'}", [1, 2]),
        # A message that says that it is the end is not worked on.
        ("{until: '.payload == 3'}", "at: i", [1, 2]),
        ("{while: '.payload < 3'}", "at: i", [1, 2, 3]),
        ("{while: '$item.payload < 3'}", "output: {as: .payload}", [1, 2, 3]),
        ("{while: 'true'}", "do: [{go: {switch: [{end: {when: '.payload == 2', then: exit}}]}}]", [1, 2]),
    ],
)
def test_a_stream_ends_as_it_says_and_is_left_in_order(consume, each, worked_on):
    run, broker = probe(document(consume, each), *map(message, (1, 2, 3, 4)))
    assert run.phase == "completed", run.fault
    assert [found if isinstance(found, int) else found["payload"] for found in run.output] == worked_on
    assert [each["leave"] for each in broker.asked].index(True) == len(broker.asked) - 1


def test_when_the_time_is_over_the_stream_ends_with_what_there_is():
    run, broker = probe(document("{while: 'true', for: PT1H}"), message(1), Done(None))
    assert run.output == [{"n": 1, "at": 0}]
    assert not any(each["leave"] for each in broker.asked), "who says that the time is over has left"


def test_the_time_of_a_stream_begins_with_its_task():
    run, _ = probe(document("{amount: 2, for: PT1H}"), message(1), message(2))
    began = [fact.request["subscription"]["consume"]["began"] for fact in run.facts if type(fact) is Intended]
    assert len(began) == 2
    assert began[0] == began[1]


def test_the_filter_sees_what_the_last_message_exported():
    text = document("{amount: 2}, filter: '.payload > $context.n'", "export: {as: '{n: .payload}'}")
    run, _ = probe(text, message(1), message(5))
    seen = [
        fact.request["subscription"]["variables"]["context"] for fact in run.facts if type(fact) is Intended
    ]
    assert seen[-1] == {"n": 1}


def test_a_take_that_fails_fails_the_task_and_a_retry_begins_the_stream_anew():
    stream = document("{amount: 1}").removeprefix("do: ")
    text = (
        f"do: [{{t: {{try: {stream}, catch: {{retry: {{delay: PT1S, limit: {{attempt: {{count: 1}}}}}}}}}}}}]"
    )
    run, broker = probe(text, LOST, message(4))
    assert run.output == [{"n": 4, "at": 0}]
    assert len({each["id"] for each in broker.asked}) == 1, "under the same name: nothing is lost meanwhile"
    failed, _ = probe(document("{amount: 1}"), LOST)
    assert (failed.phase, failed.fault.type) == ("faulted", COMMUNICATION)


@pytest.mark.parametrize("output", [{}, [], "text", {"dirigent/large": "0"}])
def test_what_is_no_message_fails_the_task_and_is_not_taken_for_the_end(output):
    run, _ = probe(document("{amount: 2}"), message(1), Done(output))
    assert (run.phase, run.fault.status, run.fault.title) == ("faulted", 500, "No Message")


def test_a_fault_in_what_is_done_with_a_message_is_that_of_the_task():
    each = "do: [{no: {raise: {error: {type: 'https://e.example/x', status: 418}}}}]"
    run, broker = probe(document("{amount: 2}", each), message(1))
    assert (run.phase, run.fault.status) == ("faulted", 418)
    assert len(broker.asked) == 1


def test_a_snapshot_in_the_middle_of_a_stream_goes_on_as_the_journal_does():
    each = "do: [{call: {call: http, with: {method: get, endpoint: 'https://e.example/'}}}], export: {as: .}"
    text = document("{until: '.payload == 3'}", each)
    broker = Broker(*map(message, (1, 2, 3)))
    rules = (
        Rule(function="http", answers=(lambda order: Done("done"),)),
        Rule(answers=(broker,)),
    )
    run = played(text, {}, *rules)
    assert run.output == ["done", "done"]
    assert_law(run.program, run.facts)
    cut = replay(run.program, RUN, run.facts[:4], TOOLS)
    assert through(cut, run.program).facts == 4


def test_a_listed_body_may_be_left_out():
    run, _ = probe(document("{amount: 1}", "item: m, output: {as: '$m.payload'}"), message(6))
    assert run.output == [6]
    assert program_of(document("{amount: 1}", "item: m")).root
