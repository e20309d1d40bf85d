"""A question to an engine that plans, through its door, and the answer.

One line goes in. While the engine works it says so every second; then come the length of its answer and the
answer. Whoever leaves meanwhile is not worked for any more, unless it is to carry a plan out.
"""

from __future__ import annotations

import asyncio
import json
import socket
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

from dirigent.model.asking.warm import Answer, Question
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.service import door
from dirigent.service.conductor import HolderGone
from dirigent.stores.codec import decode_plain, encode_plain

VERB: Final = "warm"
BEAT_SECONDS: Final = 1.0
BEAT: Final = b".\n"
# An engine says every second that it works. One that is stopped, or stuck, says nothing.
SILENT_SECONDS: Final = 30.0

Reply = Callable[[Question], Awaitable[Answer]]


@dataclass(slots=True)
class Begun:
    """A question on its way to an engine; `rest` is what the wire has not taken yet."""

    wire: socket.socket
    rest: bytes


def begin(path: str, question: Question) -> Begun | None:
    """Send a question without waiting, and without a loop; None where no engine takes it at once."""
    line = _line(question)
    wire = door.reach(path) if len(line) < door.LINE_BYTES else None
    if wire is None:
        return None
    try:
        return Begun(wire, line[wire.send(line) :])
    except BlockingIOError:
        return Begun(wire, line)
    except OSError:
        wire.close()
        return None


async def ask(path: str, question: Question, silent_seconds: float = SILENT_SECONDS) -> Answer:
    """Return the answer of the engine behind a door.

    Raises:
        HolderGone: when there is none, when it ends before, or when it knows nothing of such questions.
        Refusal: E5074 when it is there and says nothing.
    """
    line, wire = _line(question), await door.knock(path)
    if wire is None or len(line) >= door.LINE_BYTES:
        raise HolderGone
    return await _answer(*wire, line, silent_seconds)


async def hear(begun: Begun, silent_seconds: float = SILENT_SECONDS) -> Answer:
    """Return the answer to a question that was begun. Raises as `ask` does."""
    try:
        wire = await asyncio.open_unix_connection(sock=begun.wire, limit=door.LINE_BYTES)
    except OSError as failure:
        raise HolderGone from failure
    return await _answer(*wire, begun.rest, silent_seconds)


def _line(question: Question) -> bytes:
    text = b64encode(encode_plain([question])).decode()
    return json.dumps({"verb": VERB, "question": text}).encode() + b"\n"


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes, silent_seconds: float
) -> Answer:
    try:
        writer.write(line)
        content = await _heard(reader, silent_seconds)
    except (OSError, asyncio.IncompleteReadError) as failure:
        raise HolderGone from failure
    finally:
        writer.close()
    (found,) = decode_plain(content)
    if not isinstance(found, Answer):
        raise HolderGone
    return found


async def _heard(reader: asyncio.StreamReader, silent_seconds: float) -> bytes:
    while True:
        try:
            async with asyncio.timeout(silent_seconds):
                line = await reader.readline()
        except TimeoutError:
            raise _silent(silent_seconds) from None
        if line == BEAT:
            continue
        if not line.endswith(b"\n") or not line.strip().isdigit():
            raise HolderGone  # It has ended, or is of another release and answers in its own way.
        return await reader.readexactly(int(line))


def _silent(seconds: float) -> Refusal:
    return refuse(
        "E5074",
        f"the engine that is to make the plan has said nothing for `{seconds:g}` seconds",
        "if it is stopped (Ctrl-Z), let it go on with `fg`; if it hangs, end it: the plan is made without it",
        "nothing was touched",
    )


def answering(reply: Reply) -> door.Work:
    """Return what answers questions at the door of an engine."""

    async def answer(
        request: Mapping[str, object], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        (question,) = decode_plain(b64decode(str(request.get("question"))))
        if not isinstance(question, Question):
            return
        work = asyncio.ensure_future(_replied(reply, question))
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            while not work.done():
                waits = {work} if leaving.done() else {work, leaving}
                await asyncio.wait(waits, timeout=BEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if leaving.done() and question.want != "carry":
                    return
                if not work.done() and not leaving.done():
                    writer.write(BEAT)
            content = work.result()
            writer.write(f"{len(content)}\n".encode())
            writer.write(content)
            await writer.drain()
        finally:
            for task in (work, leaving):
                task.cancel()
                with suppress(asyncio.CancelledError, OSError):
                    await task

    return answer


async def _replied(reply: Reply, question: Question) -> bytes:
    try:
        found = await reply(question)
    except Refusal as refusal:
        found = Answer(refused=refusal.problems)
    return await asyncio.to_thread(encode_plain, [found])
