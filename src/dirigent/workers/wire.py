"""What engine, worker and child say to each other: frames of msgpack with their length in front.

Everything goes in batches: one frame holds all that was to be said at that moment.
"""

from __future__ import annotations

import asyncio
from typing import Final, TypeAlias, cast

import msgspec

from dirigent.model import limits
from dirigent.model.record import dataclass
from dirigent.model.values import Value

HEAD_BYTES: Final = 4
BEAT_SECONDS: Final = 2.0
FRAME_BYTES: Final = limits.WORKER_FRAME_BYTES
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder().decode

Token: TypeAlias = str
"""An attempt of an effect: `EFFECT-ATTEMPT`, the same on every engine and worker."""


@dataclass(frozen=True, slots=True)
class Job:
    """A step to be done: what is called, with what."""

    token: Token
    step: str
    args: list[Value]
    named: dict[str, Value]
    run: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """How a step ended.

    `done` comes with a value, `broken` with the members of an error; `died` says of what its process ended
    in the middle of it, `lost` why it was stopped.
    """

    token: Token
    kind: str
    value: Value


@dataclass(slots=True)
class Message:
    """All that one side has to say at a moment; empty members are left out of the frame.

    `do` and `stop` go to workers, `kept` says which results are durable; `done`, `room` and `mine` come
    back: results, how many jobs more are welcome, and what a worker that returns is still busy with.
    """

    do: list[Job]
    stop: list[Token]
    kept: list[Token]
    done: list[Result]
    mine: list[Token]
    room: int | None = None

    def __bool__(self) -> bool:
        """Return whether there is anything to say."""
        return bool(self.do or self.stop or self.kept or self.done or self.mine or self.room is not None)


def nothing() -> Message:
    """Return a message to be filled."""
    return Message([], [], [], [], [])


def pack(message: Message) -> bytes:
    """Return the frame of a message."""
    body: dict[str, object] = {}
    if message.do:
        body["do"] = [[job.token, job.step, job.args, job.named, job.run] for job in message.do]
    if message.done:
        body["done"] = [[each.token, each.kind, each.value] for each in message.done]
    for name in ("stop", "kept", "mine"):
        tokens = getattr(message, name)
        if tokens:
            body[name] = tokens
    if message.room is not None:
        body["room"] = message.room
    content = _encode(body)
    return len(content).to_bytes(HEAD_BYTES, "big") + content


def unpack(content: bytes | bytearray | memoryview) -> Message:
    """Return the message of a frame without its head, or raise `ValueError`."""
    try:
        body = cast("dict[str, list[list[object]]]", _decode(content))
        jobs = [
            cast("tuple[str, str, list[Value], dict[str, Value], str]", each) for each in body.get("do", ())
        ]
        done = [cast("tuple[str, str, Value]", each) for each in body.get("done", ())]
        return Message(
            do=[Job(*each) for each in jobs],
            stop=cast("list[str]", body.get("stop", [])),
            kept=cast("list[str]", body.get("kept", [])),
            done=[Result(*each) for each in done],
            mine=cast("list[str]", body.get("mine", [])),
            room=cast("int | None", body.get("room")),
        )
    except (msgspec.DecodeError, AttributeError, TypeError) as error:
        raise ValueError(f"no message of a worker: {error}") from None


async def read(reader: asyncio.StreamReader) -> Message | None:
    """Return the next message; None when the other side has gone, or says what nobody understands."""
    try:
        size = int.from_bytes(await reader.readexactly(HEAD_BYTES), "big")
        if size > FRAME_BYTES:
            return None
        return unpack(await reader.readexactly(size))
    except (asyncio.IncompleteReadError, OSError, ValueError):
        return None


@dataclass(slots=True, eq=False)
class Mouth:
    """Says to one side, in one frame, all that was to be said in a turn of the event loop."""

    writer: asyncio.StreamWriter
    _next: Message | None = None

    @property
    def next(self) -> Message:
        """Return the message that goes out at the end of this turn of the event loop."""
        if self._next is None:
            self._next = nothing()
            asyncio.get_running_loop().call_soon(self._say)
        return self._next

    def _say(self) -> None:
        message, self._next = self._next, None
        if message and not self.writer.is_closing():
            self.writer.write(pack(message))
