"""A broker of AMQP 0.9.1 in a thread: queues, confirms, acknowledgements and what is given again.

The frames are made by the package that the client makes its own with; that a real broker is spoken to was
tried by hand (docs/decisions/0029-streams.md).
"""

from collections import deque
from dataclasses import dataclass, field

from pamqp import commands, frame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from tasks.asyncapi.threaded import Threaded

CAN = {"publisher_confirms": True, "basic.nack": True, "consumer_cancel_notify": True}
NOT_FOUND, NO_ROUTE, REFUSED = 404, 312, 403
ANSWERS = {
    commands.Connection.Open: commands.Connection.OpenOk,
    commands.Channel.Open: commands.Channel.OpenOk,
}


@dataclass
class Message:
    """One message: its properties and its body, and whether it was given before."""

    properties: object
    body: bytes = b""
    again: bool = False


@dataclass
class Channel:
    """One channel of one connection. `unacked` are messages by delivery tag, with their queue."""

    number: int
    writer: object
    prefetches: list
    prefetch: int = 0
    confirms: bool = False
    published: int = 0
    tags: int = 0
    consumed: dict = field(default_factory=dict)
    unacked: dict = field(default_factory=dict)
    incoming: tuple = ()

    def send(self, value):
        self.writer.write(frame.marshal(value, self.number))

    def content(self, message):
        self.send(ContentHeader(0, len(message.body), message.properties))
        if message.body:
            self.send(ContentBody(message.body))

    def on_confirm_select(self, value):
        self.confirms = True
        self.send(commands.Confirm.SelectOk())

    def on_basic_qos(self, value):
        self.prefetch = value.prefetch_count
        self.prefetches.append(value.prefetch_count)
        self.send(commands.Basic.QosOk())

    def on_basic_publish(self, value):
        self.incoming = (value,)

    def on_basic_cancel(self, value):
        self.consumed.pop(value.consumer_tag, None)
        self.send(commands.Basic.CancelOk(value.consumer_tag))


class AmqpBroker:
    """Queues by name; what is published goes to that of its routing key. Who knows `password` is let in."""

    def __init__(self, *queues, password=None):
        self.queues = {name: deque() for name in queues}
        self.password = password
        self.acked, self.prefetches = [], []
        self.channels = []
        self.net = Threaded(self._serve)
        self.port = self.net.port

    def close(self):
        self.net.close()

    async def _serve(self, reader, writer):
        await reader.readexactly(8)
        own, zero = {}, Channel(0, writer, self.prefetches)
        zero.send(commands.Connection.Start(server_properties={"capabilities": CAN}, mechanisms="PLAIN"))
        data = b""
        try:
            while True:
                count, number, value = frame.unmarshal(data) if data else (0, 0, None)
                if value is None:
                    more = await reader.read(65536)
                    if not more:
                        return
                    data += more
                    continue
                data = data[count:]
                if number not in own:
                    own[number] = zero if number == 0 else Channel(number, writer, self.prefetches)
                    self.channels.append(own[number])
                if not self._take(own[number], value):
                    return
                await writer.drain()
        finally:
            for channel in own.values():
                self._gone(channel)

    def _gone(self, channel):
        """Give what was not acknowledged again, in its order."""
        if channel in self.channels:
            self.channels.remove(channel)
        for name, message in reversed(channel.unacked.values()):
            message.again = True
            self.queues[name].appendleft(message)
        channel.unacked.clear()
        channel.consumed.clear()
        self._deliver()

    def _take(self, channel, value):
        """Answer one frame; return whether the connection goes on."""
        match value:
            case ContentHeader():
                channel.incoming = (*channel.incoming, Message(value.properties), value.body_size)
                self._published(channel, b"")
            case ContentBody():
                self._published(channel, value.value)
            case commands.Connection.CloseOk():
                return False
            case commands.Connection.Close():
                # What was not acknowledged is in its queue again before the client hears of the end.
                for each in [each for each in self.channels if each.writer is channel.writer]:
                    self._gone(each)
                channel.send(commands.Connection.CloseOk())
            case _ if type(value) in ANSWERS:
                channel.send(ANSWERS[type(value)]())
            case _:
                verb = "on_" + value.name.replace(".", "_").lower()
                if hasattr(channel, verb):
                    getattr(channel, verb)(value)
                else:
                    getattr(self, verb, lambda *_: None)(channel, value)
        return True

    def on_connection_startok(self, channel, value):
        if self.password is not None and not value.response.endswith(f"\0{self.password}"):
            channel.send(commands.Connection.Close(REFUSED, "ACCESS_REFUSED", 0, 0))
        else:
            channel.send(commands.Connection.Tune(0, 131072, 0))

    def on_channel_close(self, channel, value):
        self._gone(channel)
        channel.send(commands.Channel.CloseOk())

    def on_queue_declare(self, channel, value):
        if value.queue in self.queues:
            channel.send(commands.Queue.DeclareOk(value.queue, len(self.queues[value.queue]), 0))
        else:
            channel.send(commands.Channel.Close(NOT_FOUND, f"NOT_FOUND - no queue '{value.queue}'", 50, 10))

    def _published(self, channel, part):
        value, message, size = channel.incoming
        message.body += part
        if len(message.body) < size:
            return
        if value.routing_key in self.queues:
            self.queues[value.routing_key].append(message)
            self._deliver()
        elif value.mandatory:
            channel.send(commands.Basic.Return(NO_ROUTE, "NO_ROUTE", value.exchange, value.routing_key))
            channel.content(message)
        if channel.confirms:
            channel.published += 1
            channel.send(commands.Basic.Ack(channel.published, False))

    def on_basic_consume(self, channel, value):
        tag = value.consumer_tag or f"c{channel.number}"
        channel.consumed[tag] = value.queue
        channel.send(commands.Basic.ConsumeOk(tag))
        self._deliver()

    def on_basic_ack(self, channel, value):
        _, message = channel.unacked.pop(value.delivery_tag)
        self.acked.append(message.body)
        self._deliver()

    def on_basic_nack(self, channel, value):
        name, message = channel.unacked.pop(value.delivery_tag)
        if value.requeue:
            message.again = True
            self.queues[name].appendleft(message)
            self._deliver()

    on_basic_reject = on_basic_nack

    def _deliver(self):
        for channel in self.channels:
            for tag, name in channel.consumed.items():
                while self.queues[name] and not (
                    channel.prefetch and len(channel.unacked) >= channel.prefetch
                ):
                    message = self.queues[name].popleft()
                    channel.tags += 1
                    channel.unacked[channel.tags] = (name, message)
                    channel.send(commands.Basic.Deliver(tag, channel.tags, message.again, "", name))
                    channel.content(message)
