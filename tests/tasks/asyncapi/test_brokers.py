"""Messages through real brokers: what is out arrives, what is in is acknowledged when it is durable."""

import asyncio
import itertools

import nats
import pytest

from dirigent.model.fault import COMMUNICATION
from dirigent.model.run.effect import Done, Doubt
from tasks.asyncapi.rig import Rig, broker, three
from tasks.http.loopback import KEY, credentials_of

pytestmark = pytest.mark.slow


def mosquitto(port, folder):
    (folder / "m.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")
    return ["-c", str(folder / "m.conf")]


def nats_core(port, folder):
    return ["-a", "127.0.0.1", "-p", str(port)]


def nats_stream(port, folder):
    return ["-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder / "js")]


BROKERS = {
    "mqtt": ("mosquitto", mosquitto, "mqtt"),
    "nats": ("nats-server", nats_core, "nats"),
    "nats with a stream": ("nats-server", nats_stream, "nats"),
}


@pytest.fixture(params=BROKERS)
def rig(request, tmp_path):
    name, arguments, protocol = BROKERS[request.param]
    with broker(name, arguments, tmp_path) as port:
        made = Rig(tmp_path, three(protocol, port), port)
        made.port, made.numbers = port, itertools.count()
        made.lasting = request.param != "nats"
        made.stream = "stream" in request.param
        yield made


async def prepared(rig):
    """Where messages are to be kept by a stream, make it."""
    if rig.stream:
        connection = await nats.connect(f"nats://127.0.0.1:{rig.port}")
        await connection.jetstream().add_stream(name="ORDERS", subjects=["orders"])
        await connection.close()


async def taking(rig, attempt=1, **consume):
    """Begin to take messages, and wait until the broker knows of the subscription."""
    task = asyncio.ensure_future(rig.take(attempt=attempt, **consume))
    while not task.done():
        await asyncio.wait([task], timeout=0.05)
        if not task.done():
            assert await rig.send(next(rig.numbers)) == Done(None)
    return task.result()


def test_messages_go_out_and_come_in_in_their_order(rig):
    async def play():
        await prepared(rig)
        outcome = await taking(rig, amount=2)
        await rig.durable()
        return outcome

    outcome = asyncio.run(play())
    numbers = [message["payload"]["n"] for message in outcome.output]
    assert numbers == [numbers[0], numbers[0] + 1]


def test_what_was_taken_and_never_recorded_comes_again_where_the_broker_keeps_it(rig):
    async def first():
        await prepared(rig)
        outcome = await taking(rig, amount=1)
        # The engine dies here: nobody says that it is durable. The connections fall.
        for stack, _ in list(rig.performer._unsettled.values()):
            await stack.aclose()
        return outcome

    async def second():
        again = await rig.take(amount=1) if rig.lasting else await taking(rig, amount=1)
        await rig.durable()
        return again

    before, after = asyncio.run(first()), asyncio.run(second())
    if rig.lasting:
        assert after.output == before.output, "at least once: it comes again"
    else:
        assert after.output != before.output, "at most once: nobody kept it"


def test_what_is_durable_does_not_come_again(rig):
    async def play():
        await prepared(rig)
        before = await taking(rig, amount=1)
        await rig.durable()
        after = await taking(rig, amount=1)
        await rig.durable()
        return before, after

    before, after = asyncio.run(play())
    assert before.output[0]["payload"]["n"] < after.output[0]["payload"]["n"]


async def next_of(rig, number, after=None, **more):
    """Take the next message of a stream; where the broker keeps none for us yet, send until it comes."""
    task = asyncio.ensure_future(rig.next(after, number=number, **more))
    while not task.done():
        await asyncio.wait([task], timeout=0.05)
        if not task.done():
            assert await rig.send(next(rig.numbers)) == Done(None)
    return task.result().output


def test_of_a_stream_each_message_comes_once_and_in_order_though_nobody_listens_between_them(rig):
    async def play():
        await prepared(rig)
        first = await next_of(rig, 1)
        await rig.told(1)
        # Nobody takes now; the connection is there, and the broker or the connection keeps what comes.
        sent = [next(rig.numbers) for _ in range(3)]
        for number in sent:
            await rig.send(number)
        found, after = [first["message"]["payload"]["n"]], first["cursor"]
        while found[-1] != sent[-1]:
            taken = await next_of(rig, len(found) + 1, after)
            await rig.told(len(found) + 1)
            found.append(taken["message"]["payload"]["n"])
            after = taken["cursor"]
        assert await rig.next(after, number=len(found) + 1, leave=True) == Done(None)
        return found

    found = asyncio.run(play())
    assert found == list(range(found[0], found[-1] + 1)), "none is lost, and none comes twice"


def test_of_a_stream_what_was_not_acknowledged_comes_again_unless_the_broker_counts(rig):
    """The crash between the record and the acknowledgement."""

    async def first():
        await prepared(rig)
        taken = await next_of(rig, 1)
        await rig.dies()
        await rig.send(next(rig.numbers))
        return taken

    async def second(after):
        taken = await next_of(rig, 2, after, last=True)
        await rig.told(2)
        return taken

    before = asyncio.run(first())
    after = asyncio.run(second(before["cursor"]))
    numbers = before["message"]["payload"]["n"], after["message"]["payload"]["n"]
    assert (before["cursor"] is not None) == rig.stream
    # Over MQTT it comes twice; a stream of NATS counts; without one nobody keeps anything.
    assert (numbers[0] == numbers[1]) == (rig.lasting and not rig.stream)


def test_the_time_to_take_may_end_with_nothing(rig):
    async def play():
        await prepared(rig)
        outcome = await rig.call(subscription={"consume": {"for": 0.2, "began": None, "while": "true"}})
        await rig.durable()
        return outcome

    assert asyncio.run(play()) == Done([])


def test_a_message_in_doubt_is_held(rig):
    outcome = asyncio.run(rig.call(message={"payload": {}}, doubtful=True))
    assert isinstance(outcome, Doubt)
    assert outcome.evidence["key"] == KEY


@pytest.mark.parametrize("protocol", ["mqtt", "nats", "amqp"])
def test_nobody_there_is_a_communication_error_without_doubt(protocol, tmp_path):
    rig = Rig(tmp_path, three(protocol, 1), 1)
    for request in ({"message": {"payload": {}}}, {"subscription": {"consume": {"amount": 1}}}):
        outcome = asyncio.run(rig.call(**request))
        assert outcome.fault.type == COMMUNICATION
        assert not outcome.fault.doubtful


def test_a_password_that_is_wrong_is_a_communication_error_and_is_not_shown(tmp_path):
    def closed(port, folder):
        (folder / "m.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\nuser root\n")
        return ["-c", str(folder / "m.conf")]

    basic = {"scheme": "basic", "username": "a", "password": "s3cret-pass", "token": None}
    with broker("mosquitto", closed, tmp_path) as port:
        rig = Rig(tmp_path, three("mqtt", port), port, credentials_of())
        outcome = asyncio.run(rig.call(message={"payload": {}}, authentication=basic))
    assert outcome.fault.type == COMMUNICATION
    assert "s3cret" not in repr(outcome)
