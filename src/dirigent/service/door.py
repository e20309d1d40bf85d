"""The door of an engine: a Unix socket through which other processes of the same user ask it.

One line of JSON in, one line out. Programs, plans and facts travel in the store's own encoding. The
socket lies in the state directory (mode 0700), so only the owner of the state can knock.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias, cast

from dirigent.model import limits
from dirigent.model.events.listening import Event
from dirigent.model.ids import Digest, RunId, digest_of
from dirigent.model.plan import Plan
from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Created, Ended, Fact
from dirigent.model.run.start import Start, first_of, start_of
from dirigent.ports import Conductor, Heard, Journal
from dirigent.service.conductor import HolderGone, watch
from dirigent.stores.codec import decode, decode_fact, decode_plain, encode, encode_fact, encode_plain
from dirigent.stores.programs import Programs

LINE_BYTES = 4 * limits.PAYLOAD_BYTES
TWINS = "both sides must be of one release, and a workflow with its input smaller than 8 MiB"
# An engine that lives answers at once; only the disk can keep it.
ANSWER_SECONDS = 10.0
# For visitors whose wish was taken before the door was shut.
PARTING_SECONDS = 2.0

Work: TypeAlias = Callable[
    [Mapping[str, object], asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]
]
"""Takes somebody in: what he said at the door, and the wire to him."""
_NO_OTHERS: Final[Mapping[str, Work]] = MappingProxyType({})


def _text(content: bytes) -> str:
    return b64encode(content).decode()


def _bytes(text: object) -> bytes:
    return b64decode(str(text))


@asynccontextmanager
async def opened(
    door: str, conductor: Conductor, others: Mapping[str, Work] = _NO_OTHERS
) -> AsyncIterator[None]:
    """Answer at the door while the block runs. A socket that a dead engine left is replaced.

    Whoever was let in before the end gets an answer all the same. `others` take in, by verb, those who
    come for longer than an answer; they leave with the end.
    """
    programs = Programs()
    visitors: set[asyncio.Task[None]] = set()
    guests: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError):  # A visitor who leaves does no harm.
                request, answer = await _request(reader)
                work = others.get(str(request.get("verb"))) if request is not None else None
                if request is not None and work is not None:
                    guests.update(each for each in visitors if each is asyncio.current_task())
                    visitors.difference_update(guests)
                    await work(request, reader, writer)
                elif request is not None:
                    answer = await _answer(request, conductor, programs)
                if answer is not None:
                    writer.write(json.dumps(answer).encode() + b"\n")
                    await writer.drain()
        finally:
            writer.close()

    def let_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visitor = asyncio.ensure_future(answer(reader, writer))
        visitors.add(visitor)
        visitor.add_done_callback(visitors.discard)
        visitor.add_done_callback(guests.discard)

    with _near(door) as path:
        _remove(path)
        server = await asyncio.start_unix_server(let_in, path, limit=LINE_BYTES)
        async with server:
            try:
                yield
            finally:
                _remove(path)
                server.close()
                if visitors:
                    await asyncio.wait(visitors, timeout=PARTING_SECONDS)
                for visitor in (*visitors, *guests):
                    visitor.cancel()


def _remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)


@contextmanager
def _near(path: str) -> Iterator[str]:
    """Yield a short name of a socket: the kernel takes 108 bytes, directories may be longer."""
    directory = os.open(Path(path).parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{Path(path).name}"
    finally:
        os.close(directory)


def reach(path: str) -> socket.socket | None:
    """Return a wire to the engine behind a door without waiting; None where none can be had at once."""
    wire = socket.socket(socket.AF_UNIX)
    try:
        with _near(path) as near:
            wire.settimeout(0)
            wire.connect(near)
    except OSError:
        wire.close()
        return None
    return wire


def answers(path: str) -> bool:
    """Return whether an engine stands behind a door."""
    try:
        with _near(path) as near, socket.socket(socket.AF_UNIX) as knocking:
            # Never wait: in front of a stopped process the queue of visitors may be full.
            knocking.settimeout(0)
            knocking.connect(near)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


async def knock(path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """Return the wire to the engine behind a door, None while there is none."""
    try:
        with _near(path) as near:
            return await asyncio.open_unix_connection(near, limit=LINE_BYTES)
    except OSError:
        return None


async def _request(
    reader: asyncio.StreamReader,
) -> tuple[dict[str, object] | None, dict[str, object] | None]:
    """Return what a visitor asks, or else what he is answered; neither for one who only knocks."""
    try:
        line = await reader.readline()
        request = json.loads(line) if line else None
    except ValueError:
        # Too long, or nonsense. Silence would look as if we had died, and be asked again.
        return None, {"problems": [["E7010", "the engine cannot read what it was asked", TWINS]]}
    if request is not None and not isinstance(request, dict):
        return None, {"problems": [["E7010", "the engine was asked nothing that it knows", TWINS]]}
    return request, None


async def _answer(request: dict[str, object], conductor: Conductor, programs: Programs) -> dict[str, object]:
    try:
        return await _reply(request, conductor, programs)
    except KeyError as missing:
        return {"problems": [["E7010", f"the engine was asked without {missing}", TWINS]]}


async def _reply(request: dict[str, object], conductor: Conductor, programs: Programs) -> dict[str, object]:
    try:
        match request.get("verb"):
            case "start":
                return {"ok": await conductor.start(_start_of(request, programs))}
            case "tell":
                fact = decode_fact(_bytes(request["fact"]))
                await conductor.tell(RunId(str(request["run"])), fact)
            case "keep-plan":
                await conductor.keep_plan(decode(_bytes(request["plan"]), Plan))
            case "keep":
                return {"ok": await conductor.keep(decode(_bytes(request["program"]), Program))}
            case "events":
                events = decode_plain(_bytes(request["events"]))
                return {"ok": await conductor.take_events(cast("list[Event]", events))}
            case "left-out":
                left = await conductor.left_out()
                return {"ok": [[run, why.code, why.message, *why.help] for run, why in left.items()]}
            case verb:
                raise refuse("E7010", f"the engine does not know `{verb}`", TWINS)
    except Refusal as refusal:
        return {"problems": [[p.code, p.message, *p.help] for p in refusal.problems]}
    return {"ok": None}


def _start_of(request: dict[str, object], programs: Programs) -> Start:
    """Return what `DoorConductor.start` sent: the run's first fact carries its input and metadata."""
    first = decode_fact(_bytes(request["created"]))
    if not isinstance(first, Created):
        raise refuse("E7010", "the engine was asked to start a run without its first fact")
    program = _program_of(_bytes(request["program"]), programs)
    run = RunId(str(request["run"]))
    unique = request.get("unique") == "yes"
    return start_of(run, program, first, unique=unique)


def _program_of(content: bytes, programs: Programs) -> Program:
    """Return the program of bytes: the same object for the same bytes, which no store need encode again."""
    digest = digest_of(content)
    found = programs.get(digest)
    if found is None:
        found = decode(content, Program)
        programs.remember(digest, found)
    return found


@dataclass(frozen=True, slots=True)
class DoorConductor:
    """The engine of another process, asked through its door. `journal` reads the same store.

    `holder` says which process that is, in words. Every request may raise `HolderGone`.
    """

    door: str
    journal: Journal
    holder: str = "nobody knows which process"

    async def start(self, start: Start) -> RunId:
        """Create a run over there."""
        program = encode(start.program)
        first = first_of(start, digest_of(program))
        answer = await self._ask(
            verb="start",
            run=start.id,
            program=_text(program),
            created=_text(encode_fact(first)),
            unique="yes" if start.unique else "",
        )
        return RunId(str(answer))

    async def tell(self, run: RunId, fact: Fact) -> None:
        """Put a person's word into a run over there."""
        await self._ask(verb="tell", run=run, fact=_text(encode_fact(fact)))

    async def take_events(self, events: Sequence[Event]) -> list[bool]:
        """Have events taken in over there."""
        answer = await self._ask(verb="events", events=_text(encode_plain(list(events))))
        return [bool(each) for each in answer] if isinstance(answer, list) else []

    async def keep_plan(self, plan: Plan) -> None:
        """Have a plan stored over there."""
        await self._ask(verb="keep-plan", plan=_text(encode(plan)))

    async def keep(self, program: Program) -> Digest:
        """Have a definition stored over there."""
        return Digest(str(await self._ask(verb="keep", program=_text(encode(program)))))

    async def left_out(self) -> dict[RunId, Problem]:
        """Return the open runs that the engine over there could not take up, and why."""
        answer = await self._ask(verb="left-out")
        left = answer if isinstance(answer, list) else []
        return {RunId(run): Problem(code, message, help=tuple(rest)) for run, code, message, *rest in left}

    async def wait(self, run: RunId) -> Ended:
        """Return how a run ended."""
        return await self.follow(run, lambda *_: None)

    async def follow(self, run: RunId, heard: Heard) -> Ended:
        """Watch the store beside the other engine."""
        return await watch(self.journal, run, heard, self._knock)

    def _knock(self) -> bool:
        return answers(self.door)

    async def _ask(self, **request: str) -> object:
        """Return the answer. Raises `HolderGone` when nobody is there, or leaves without a word.

        A holder that is there and says nothing for `ANSWER_SECONDS` is a refusal (`E7011`).
        """
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                line = await self._exchange(json.dumps(request).encode() + b"\n")
        except TimeoutError:
            raise silent(self.holder) from None
        if not line.endswith(b"\n"):
            raise HolderGone
        answer = json.loads(line)
        if "problems" in answer:
            raise Refusal(
                Problem(code, message, help=tuple(rest)) for code, message, *rest in answer["problems"]
            )
        return answer["ok"]

    async def _exchange(self, line: bytes) -> bytes:
        """Return the answer to a line, empty when the engine ended before. Raises `HolderGone`."""
        try:
            with _near(self.door) as path:
                reader, writer = await asyncio.open_unix_connection(path, limit=LINE_BYTES)
        except OSError as failure:
            raise HolderGone from failure
        try:
            writer.write(line)
            await writer.drain()
            return await reader.readline()
        except OSError:
            return b""
        finally:
            writer.close()


def silent(holder: str) -> Refusal:
    """Return the refusal of one who was not answered in time, with what is known of the engine."""
    return refuse(
        "E7011",
        f"the engine that holds this store does not answer: {holder}",
        "if it is stopped (Ctrl-Z), let it go on with `fg`; if it hangs, end it: "
        "whoever comes next takes its place, and nothing is lost",
        "it may still do what it was asked when it goes on: `--id` keeps a run from starting twice",
    )
