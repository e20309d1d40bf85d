"""Programs at hand: neither encoded nor read again while they are in use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from dirigent.model.ids import Digest
from dirigent.model.program import Program

KEPT: Final = 256


class Programs:
    """The programs that were stored or read last, at most `KEPT`. Programs never change."""

    def __init__(self) -> None:
        """Begin empty."""
        self._programs: dict[Digest, Program] = {}
        # By identity: comparing two programs would walk them. Each is held here, so no number is used twice.
        self._digests: dict[int, tuple[Program, Digest]] = {}
        self._storing: dict[int, asyncio.Future[None]] = {}

    def get(self, digest: Digest) -> Program | None:
        """Return the program of a digest, None if it is not at hand."""
        return self._programs.get(digest)

    def digest_of(self, program: Program) -> Digest | None:
        """Return the digest of this very object, None if it is not known."""
        known = self._digests.get(id(program))
        return known[1] if known else None

    def remember(self, digest: Digest, program: Program) -> None:
        """Keep a program that is stored. What was read and what a caller made are two objects of a digest."""
        if digest not in self._programs:
            if len(self._programs) >= KEPT:
                del self._programs[next(iter(self._programs))]
            self._programs[digest] = program
        if id(program) not in self._digests:
            if len(self._digests) >= KEPT:
                del self._digests[next(iter(self._digests))]
            self._digests[id(program)] = program, digest

    async def kept(self, program: Program, store: Callable[[Program], Awaitable[Digest]]) -> Digest:
        """Return the digest of a program that is stored; who asks while somebody stores it waits for that.

        Raises what `store` raises.
        """
        while (known := self.digest_of(program)) is None and (storing := self._storing.get(id(program))):
            await asyncio.wait([storing])
        if known is not None:
            return known
        over = self._storing[id(program)] = asyncio.get_running_loop().create_future()
        try:
            digest = await store(program)
            self.remember(digest, program)
            return digest
        finally:
            del self._storing[id(program)]
            over.set_result(None)
