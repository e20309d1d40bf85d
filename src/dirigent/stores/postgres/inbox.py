"""Wishes of processes that do not own a shard: written down, granted by its owner, answered in that commit.

A wish with a known key is not written twice; whoever asks again gets the answer of the first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import field
from typing import Final, Self, cast
from zlib import crc32

import msgspec

from dirigent.model.ids import RunId, digest_of
from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Created, Fact
from dirigent.model.run.start import Start, first_of, start_of
from dirigent.ports.fleet import Wish
from dirigent.stores import codec
from dirigent.stores.postgres.database import Database
from dirigent.stores.postgres.session.hints import Ear
from dirigent.stores.postgres.session.link import Row
from dirigent.stores.postgres.session.statements import SQL

START, TELL = "start", "tell"
# So long a wish may lie while engines live, and so long none may be seen, before whoever wishes is told.
PATIENCE_SECONDS: Final = 30.0
SWEEP_SECONDS: Final = 1.0
PLACES_KEPT: Final = 10_000

_pack: Final = msgspec.msgpack.Encoder().encode
_answer: Final = msgspec.msgpack.Decoder(str | list[list[str]]).decode


@dataclass(frozen=True, slots=True, eq=False)
class Inbox:
    """Where this process puts its wishes, and finds those of others."""

    database: Database
    ear: Ear
    # What never changes: how many shards there are, and where a run lies.
    _shards: list[int] = field(default_factory=list)
    _places: dict[RunId, int] = field(default_factory=dict)

    @classmethod
    def of(cls, database: Database) -> Self:
        """Return the inbox as this process sees it; it hears when runs anywhere have ended."""
        return cls(database, database.hints.ear("runs"))

    async def home(self, name: str) -> int:
        """Return the shard in which a run of this name, or of the queue of this name, is made."""
        if not self._shards:
            ((shards,),) = await self.database.links[0].fetch(SQL["shards"])
            self._shards.append(cast("int", shards))
        return crc32(name.encode()) % self._shards[0]

    async def place(self, run: RunId) -> int | None:
        """Return the shard of a run, None when there is no such run."""
        place = self._places.get(run)
        if place is None:
            place = await self.database.reader.place(run)
            if place is not None:
                if len(self._places) >= PLACES_KEPT:
                    del self._places[next(iter(self._places))]
                self._places[run] = place
        return place

    async def hinted(self, seconds: float) -> None:
        """Return when another process gave a hint, or so long has passed."""
        await self.database.hints.listen()
        await self.ear.wait(seconds)

    async def start(self, start: Start, shard: int) -> RunId:
        """Have a run begun by the owner of a shard. Raises its `Refusal`, or E5050."""
        content = start_content(start)
        key = f"{START} {start.id} {digest_of(content)}"
        return RunId(await self._granted(key, shard, start.id, (START, content)) or start.id)

    async def tell(self, key: str, shard: int, run: RunId, fact: Fact) -> None:
        """Have a word put into a run by its owner; `key` names this wish for ever."""
        await self._granted(f"{TELL} {run} {key}", shard, run, (TELL, codec.encode_fact(fact)))

    async def _granted(self, key: str, shard: int, run: RunId, wanted: tuple[str, bytes]) -> str:
        link, hints = self.database.links[0], self.database.hints
        await link.fetch(SQL["wish"], key, shard, run, *wanted)
        hints.say("inbox")
        ear = hints.ear("answers")
        clock = asyncio.get_running_loop()
        until = clock.time() + PATIENCE_SECONDS
        try:
            while True:
                await hints.listen()
                answer, living = (await link.fetch(SQL["answered"], key))[0]
                if answer is not None:
                    return _told(cast("bytes", answer))
                if clock.time() > until:
                    raise unanswered(run, cast("int", living))
                await ear.wait(SWEEP_SECONDS)
        finally:
            hints.let_go(ear)

    async def waiting(self, shards: Sequence[int]) -> list[Wish]:
        """Return the wishes that wait for the owner of these shards, oldest first.

        One that cannot be read is refused at once: it must not keep the others waiting.
        """
        found = []
        for row in await self.database.links[2].once(SQL["wishes"], list(shards)):
            try:
                found.append(await self._wish(row))
            except Refusal as why:
                await self.answer(cast("int", row[0]), why)
        return found

    async def _wish(self, row: Row) -> Wish:
        number, shard, run, kind, content = cast("tuple[int, int, str, str, bytes]", tuple(row))
        if kind == TELL:
            return Wish(number, shard, RunId(run), codec.decode_fact(content))
        first = codec.decode_fact(content)
        if kind != START or not isinstance(first, Created):
            raise refuse("E5050", f"nobody knows what `{kind}` asks for", "upgrade the engines")
        program = self.database.programs.get(first.definition)
        if program is None:
            program = await self.database.reader.definition(first.definition)
            self.database.programs.remember(first.definition, program)
        return Wish(number, shard, RunId(run), start_of(RunId(run), program, first))

    async def answer(self, wish: int, answer: Refusal | str) -> None:
        """Answer a wish that no append has answered: with the id of a run, or why not."""
        if isinstance(answer, Refusal):
            content = _pack([[p.code, p.message, *p.help] for p in answer.problems])
        else:
            content = _pack(answer)
        await self.database.links[2].once(SQL["answer"], wish, content)
        self.database.hints.say("answers")


def start_content(start: Start) -> bytes:
    """Return the bytes of a start: those of the first fact of its run, at no time."""
    return codec.encode_fact(first_of(start, digest_of(codec.encode(start.program))))


def unanswered(run: RunId, living: int) -> Refusal:
    """Return the refusal (E5050) of a wish that nobody granted in time."""
    if not living:
        return refuse(
            "E5050",
            f"no engine works on this database, so nothing becomes of what was asked of run `{run}` yet",
            "start one with `dirigent serve`: it will do what was asked",
        )
    return refuse(
        "E5050",
        f"no engine has answered what was asked of run `{run}` within {PATIENCE_SECONDS:.0f} seconds",
        "look at the engines; what was asked stays in the inbox until it is done",
    )


def _told(answer: bytes) -> str:
    """Return the id that an answer names, empty for the one that was asked for; or raise its `Refusal`."""
    told = _answer(answer)
    if isinstance(told, str):
        return told
    raise Refusal(Problem(code, message, help=tuple(rest)) for code, message, *rest in told)
