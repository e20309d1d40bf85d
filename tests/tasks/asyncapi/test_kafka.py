"""Messages through Kafka: committed when they are durable, and sent to brokers that may be spoken to."""

import asyncio

import pytest

from dirigent.model.fault import AUTHORIZATION, COMMUNICATION
from dirigent.model.run.effect import Done, Doubt
from tasks.asyncapi.kafka_broker import KafkaBroker
from tasks.asyncapi.rig import Rig, three

pytestmark = pytest.mark.slow


@pytest.fixture
def broker():
    made = KafkaBroker()
    yield made
    made.close()


def rig_of(broker, tmp_path, **bindings):
    document = three("kafka", broker.port)
    document["operations"]["go"]["bindings"] = {"kafka": bindings}
    return Rig(tmp_path, document, broker.port)


def numbers(outcome):
    return [message["payload"]["n"] for message in outcome.output]


async def begun(broker, work):
    """Begin to take for a group that is new, and wait until its beginning is committed."""
    task = asyncio.ensure_future(work)
    while not broker.committed and not task.done():
        await asyncio.wait([task], timeout=0.005)
    return task


def test_a_message_out_has_a_place_and_the_name_of_its_effect_and_may_have_a_key(broker, tmp_path):
    rig = rig_of(broker, tmp_path, groupId="g")

    async def play():
        first = await rig.send(1)
        message = {"payload": {"n": 2}, "headers": {"partitionkey": "k", "x": "y"}}
        second = await rig.call(message=message)
        outcome = await rig.take(amount=2)
        await rig.durable()
        return first, second, outcome

    first, second, outcome = asyncio.run(play())
    assert (first, second) == (
        Done({"partition": 0, "offset": 0}),
        Done({"partition": 0, "offset": 1}),
    )
    assert numbers(outcome) == [1, 2]
    headers = outcome.output[1]["headers"]
    assert (headers["partitionkey"], headers["x"]) == ("k", "y")
    assert outcome.output[0]["headers"]["Idempotency-Key"] == f"{1:032x}"


def test_a_group_of_the_bindings_begins_at_the_beginning_and_commits_what_is_durable(broker, tmp_path):
    rig = rig_of(broker, tmp_path, groupId={"type": "string", "enum": ["shop"]})

    async def play():
        for number in range(3):
            await rig.send(number)
        first = await rig.take(amount=2)
        assert broker.committed == {}, "nothing is committed before it is durable"
        await rig.durable()
        committed = dict(broker.committed)
        second = await rig.take(attempt=2, amount=1)
        await rig.durable(2)
        return first, committed, second

    first, committed, second = asyncio.run(play())
    assert (numbers(first), numbers(second)) == ([0, 1], [2])
    assert committed == {("shop", "orders", 0): 2}


def test_what_a_dead_engine_took_comes_again_from_where_its_group_began(broker, tmp_path):
    rig, again = rig_of(broker, tmp_path), rig_of(broker, tmp_path)

    async def first():
        task = await begun(broker, rig.take(amount=1))
        await rig.send(1)
        outcome = await task
        # The engine dies here: nobody says that it is durable.
        for stack, _ in list(rig.performer._unsettled.values()):
            await stack.aclose()
        await rig.send(2)
        return outcome

    async def second():
        outcome = await again.take(amount=2)
        await again.durable()
        return outcome

    assert numbers(asyncio.run(first())) == [1]
    assert numbers(asyncio.run(second())) == [1, 2], "also what came while no engine was there"
    assert broker.committed == {}, "a group that is ours alone is forgotten when all is done"


def test_of_a_stream_what_the_journal_holds_does_not_come_again(broker, tmp_path):
    """The crash between the record and the commit: the journal's own place decides."""
    rig, again = rig_of(broker, tmp_path), rig_of(broker, tmp_path)

    async def first():
        task = await begun(broker, rig.next())
        await rig.send(1)
        await rig.send(2)
        outcome = await task
        await rig.dies()
        return outcome

    async def second(after):
        outcome = await again.next(after, number=2, last=True)
        await again.told(2)
        return outcome

    outcome = asyncio.run(first()).output
    assert outcome["message"]["payload"] == {"n": 1}
    assert outcome["cursor"] == {"partition": 0, "offset": 0}
    assert list(broker.committed.values()) == [0], "it was not committed"
    assert asyncio.run(second(outcome["cursor"])).output["message"]["payload"] == {"n": 2}


def test_without_its_place_a_message_would_come_twice(broker, tmp_path):
    """The negative control of the one above."""
    rig, again = rig_of(broker, tmp_path, groupId="g"), rig_of(broker, tmp_path, groupId="g")

    async def take(one, after):
        outcome = await one.next(after)
        await one.dies()
        return outcome.output["message"]["payload"]["n"]

    asyncio.run(rig.send(1))
    assert asyncio.run(take(rig, None)) == asyncio.run(take(again, None)) == 1


def test_a_message_of_a_stream_is_committed_before_the_next_is_taken(broker, tmp_path):
    rig = rig_of(broker, tmp_path, groupId="g")

    async def play():
        for number in range(2):
            await rig.send(number)
        seen = []
        first = await rig.next()
        seen.append(dict(broker.committed))
        (line,) = rig.performer.streams._lines.values()
        kept = line.subscription
        second = await rig.next(first.output["cursor"], number=2)
        assert line.subscription is kept, "one connection serves them all"
        seen.append(dict(broker.committed))
        await rig.told(2)
        seen.append(dict(broker.committed))
        assert await rig.next(second.output["cursor"], number=3, leave=True) == Done(None)
        return seen

    key = ("g", "orders", 0)
    assert asyncio.run(play()) == [{}, {key: 1}, {key: 2}]
    assert "LeaveGroupRequest_v0" in broker.asked


def test_a_stream_outlives_its_connection(broker, tmp_path):
    rig = rig_of(broker, tmp_path)

    async def play():
        task = await begun(broker, rig.next())
        await rig.send(1)
        first = await task
        await rig.told(1)
        broker.net.drop()
        await rig.send(2)
        second = await rig.next(first.output["cursor"], number=2, last=True)
        await rig.told(2)
        return second.output["message"]["payload"]["n"]

    assert asyncio.run(play()) == 2


def test_a_filter_passes_over_and_the_time_ends_a_stream(broker, tmp_path):
    rig = rig_of(broker, tmp_path, groupId="g")

    async def play():
        for number in range(3):
            await rig.send(number)
        first = await rig.next(only=".payload.n == 2")
        await rig.told(1)
        over = await rig.next(first.output["cursor"], number=2, **{"for": 0.2, "began": None})
        return first, over

    first, over = asyncio.run(play())
    assert first.output["message"]["payload"] == {"n": 2}
    assert over == Done(None)


def test_a_broker_that_the_cluster_names_passes_the_guard_or_nothing_is_sent(tmp_path):
    """Negative control of the guard: the cluster leads to another port, which nobody declared."""
    broker = KafkaBroker(advertised=("127.0.0.1", 1))
    try:
        rig = rig_of(broker, tmp_path)
        for request in ({"message": {"payload": {}}}, {"subscription": {"consume": {"amount": 1}}}):
            outcome = asyncio.run(rig.call(**request))
            assert outcome.fault.type == AUTHORIZATION
            assert "127.0.0.1:1" in outcome.fault.detail
        assert set(broker.asked) == {"MetadataRequest_v1"}
    finally:
        broker.close()


def test_a_topic_that_is_not_there_is_an_error_without_doubt(tmp_path):
    broker = KafkaBroker(topics=("others",))
    try:
        rig = rig_of(broker, tmp_path)
        for request in ({"message": {"payload": {}}}, {"subscription": {"consume": {"amount": 1}}}):
            outcome = asyncio.run(rig.call(**request))
            assert (outcome.fault.type, outcome.fault.status) == (COMMUNICATION, 404)
            assert not outcome.fault.doubtful
    finally:
        broker.close()


def test_a_message_in_doubt_is_held(broker, tmp_path):
    outcome = asyncio.run(rig_of(broker, tmp_path).call(message={"payload": {}}, doubtful=True))
    assert isinstance(outcome, Doubt)
    assert broker.asked == []
