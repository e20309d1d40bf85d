"""Programs at hand: neither encoded nor read again while they are in use."""

from __future__ import annotations

from typing import Final

from dirigent.model.ids import Digest
from dirigent.model.program import Program

KEPT: Final = 256


class Programs:
    """The programs that were stored or read last, at most `KEPT`. Programs never change."""

    def __init__(self) -> None:
        """Begin empty."""
        self._programs: dict[Digest, Program] = {}
        # By identity: comparing two programs would walk them. Each is held above, so none is used twice.
        self._digests: dict[int, Digest] = {}

    def get(self, digest: Digest) -> Program | None:
        """Return the program of a digest, None if it is not at hand."""
        return self._programs.get(digest)

    def digest_of(self, program: Program) -> Digest | None:
        """Return the digest of this very object, None if it is not known."""
        return self._digests.get(id(program))

    def remember(self, digest: Digest, program: Program) -> None:
        """Keep a program that is stored."""
        if digest in self._programs:
            return
        if len(self._programs) >= KEPT:
            oldest = self._programs.pop(next(iter(self._programs)))
            del self._digests[id(oldest)]
        self._programs[digest] = program
        self._digests[id(program)] = digest
