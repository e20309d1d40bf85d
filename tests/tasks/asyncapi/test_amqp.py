"""Messages through AMQP: confirmed and routed, given back when nobody recorded them, taken one at a time."""

import asyncio

import pytest

from dirigent.model.fault import COMMUNICATION
from dirigent.model.run.effect import Done
from dirigent.model.run.journal import Abandoned, Ended
from tasks.asyncapi.amqp_broker import AmqpBroker
from tasks.asyncapi.rig import Rig, three
from tasks.http.loopback import credentials_of

pytestmark = pytest.mark.slow


@pytest.fixture
def broker():
    made = AmqpBroker("orders")
    yield made
    made.close()


def rig_of(broker, tmp_path):
    return Rig(tmp_path, three("amqp", broker.port), broker.port)


def payloads(outcome):
    return [message["payload"]["n"] for message in outcome.output]


def number(outcome):
    return outcome.output["message"]["payload"]["n"]


async def filled(rig, *numbers):
    for each in numbers:
        assert await rig.send(each) == Done(None)


async def until(holds):
    """Wait for what the broker does when it has read: an acknowledgement has no answer."""
    for _ in range(6000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the broker has not come so far")


def test_a_message_lies_in_its_queue_under_the_name_of_its_effect(broker, tmp_path):
    rig = rig_of(broker, tmp_path)
    asyncio.run(rig.call(message={"payload": {"n": 1}, "headers": {"x": "y"}}))
    (message,) = broker.queues["orders"]
    assert message.body == b'{"n":1}'
    assert message.properties.headers == {"x": "y"}
    assert message.properties.delivery_mode == 2, "it outlives the broker"
    assert len(message.properties.message_id) == 32


def test_a_message_for_which_there_is_no_queue_is_an_error(tmp_path):
    broker = AmqpBroker()
    try:
        outcome = asyncio.run(rig_of(broker, tmp_path).call(message={"payload": {}}))
        assert (outcome.fault.type, outcome.fault.status) == (COMMUNICATION, 404)
        taken = asyncio.run(rig_of(broker, tmp_path).take(amount=1))
        assert taken.fault.type == COMMUNICATION
    finally:
        broker.close()


def test_what_was_taken_is_acknowledged_when_it_is_durable_and_not_before(broker, tmp_path):
    rig = rig_of(broker, tmp_path)

    async def play():
        await filled(rig, 1, 2)
        outcome = await rig.take(amount=2)
        before = list(broker.acked)
        await rig.durable()
        return outcome, before

    outcome, before = asyncio.run(play())
    assert payloads(outcome) == [1, 2]
    assert (before, len(broker.acked)) == ([], 2)


def test_what_nobody_recorded_goes_back_into_the_queue(broker, tmp_path):
    rig = rig_of(broker, tmp_path)

    async def play():
        await filled(rig, 1)
        first = await rig.take(amount=1)
        for stack, _ in list(rig.performer._unsettled.values()):
            await stack.aclose()
        again = await rig.take(attempt=2, amount=1)
        await rig.durable(2)
        return first, again

    first, again = asyncio.run(play())
    assert payloads(first) == payloads(again) == [1]
    assert len(broker.acked) == 1


def test_a_stream_holds_one_message_at_a_time_and_acknowledges_each(broker, tmp_path):
    rig = rig_of(broker, tmp_path)

    async def play():
        await filled(rig, 1, 2, 3)
        taken, acked = [], []
        for attempt in (1, 2):
            taken.append(number(await rig.next(number=attempt)))
            acked.append(len(broker.acked))
        await rig.told(2)
        await until(lambda: len(broker.acked) == 2)
        await rig.next(number=3, leave=True)
        return taken, acked

    taken, acked = asyncio.run(play())
    assert taken == [1, 2]
    assert acked == [0, 1], "each when it is durable, and before the next is taken"
    assert broker.prefetches == [1], "one connection, and what it is not working on is left to others"
    assert [message.body for message in broker.queues["orders"]] == [b'{"n":3}']


@pytest.mark.parametrize("end", ["dies", "is abandoned"])
def test_a_message_of_a_stream_that_is_not_recorded_comes_again(broker, tmp_path, end):
    rig = rig_of(broker, tmp_path)

    async def play():
        await filled(rig, 1)
        first = await rig.next()
        await (rig.dies() if end == "dies" else rig.told(fact=Abandoned))
        again = await rig.next(number=2)
        await rig.told(2)
        await rig.dies()
        return number(first), number(again)

    assert asyncio.run(play()) == (1, 1)
    assert len(broker.acked) == 1


def test_a_stream_outlives_a_connection_that_fell_between_two_messages(broker, tmp_path):
    rig = rig_of(broker, tmp_path)

    async def play():
        await filled(rig, 1)
        first = await rig.next()
        await rig.told()
        broker.net.drop()
        await filled(rig, 2)
        second = await rig.next(number=2, last=True)
        await rig.told(2)
        return number(first), number(second)

    assert asyncio.run(play()) == (1, 2)


def test_a_connection_that_nobody_uses_falls_and_lets_the_message_go(broker, tmp_path):
    rig = rig_of(broker, tmp_path)
    rig.performer.streams._idle_seconds = 0.0

    async def play():
        await filled(rig, 1, 2)
        await rig.next()
        await rig.told()
        await until(lambda: broker.queues["orders"] and not any(each.unacked for each in broker.channels))
        held = len(broker.queues["orders"])
        second = await rig.next(number=2, last=True)
        await rig.told(2)
        return held, number(second)

    assert asyncio.run(play()) == (1, 2)
    assert broker.prefetches == [1, 1], "it was made anew"


def test_the_end_of_a_run_ends_its_streams(broker, tmp_path):
    rig = rig_of(broker, tmp_path)

    async def play():
        await filled(rig, 1)
        await rig.next()
        rig.performer.hear(rig.order().run, [Ended(0.0, "cancelled")])
        await rig.performer.streams.settled()
        return rig.performer.streams._lines

    assert asyncio.run(play()) == {}
    assert len(broker.queues["orders"]) == 1, "what nobody recorded is there for others"


def test_a_password_that_is_wrong_is_a_communication_error_and_is_not_shown(tmp_path):
    broker = AmqpBroker("orders", password="right")
    basic = {"scheme": "basic", "username": "a", "password": "s3cret-pass", "token": None}
    try:
        rig = Rig(tmp_path, three("amqp", broker.port), broker.port, credentials_of())
        outcome = asyncio.run(rig.call(message={"payload": {}}, authentication=basic))
        assert outcome.fault.type == COMMUNICATION
        assert "s3cret" not in repr(outcome)
    finally:
        broker.close()
