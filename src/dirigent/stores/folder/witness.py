"""Remembers which run was being turned when the process died: a small file in shared memory.

To note a turn costs no system call, and what is noted survives the death of the process, however it
came. It need not survive the machine, so nothing is synchronised; a torn note is no note.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from dirigent.model.ids import RunId
from dirigent.stores import files

NOTE_BYTES: Final = 512
FILE_BYTES: Final = 4096
KEPT: Final = 12


class FileWitness:
    """The witness of one state directory. Only the process that holds the engine's lock opens it."""

    def __init__(self, path: str) -> None:
        """Open or make the file (0600). Raises `Refusal` (E5012) when the system does not let us."""
        try:
            files.make_directory(Path(path).parent)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # Written, not only made longer: a full disk must say so here, not kill us at the first note.
                if os.fstat(descriptor).st_size < FILE_BYTES:
                    os.pwrite(descriptor, bytes(FILE_BYTES), 0)
                self._map: Final = mmap.mmap(descriptor, FILE_BYTES)
            finally:
                os.close(descriptor)
        except (OSError, ValueError) as error:
            raise files.unusable(path, OSError(0, str(error))) from None
        self._deaths: Final = self._read()
        self._write()

    def begin(self, run: RunId, place: int) -> None:
        """Note that a run is being turned that has so many facts."""
        note = f"{place} {run}\n".encode()
        self._map[: len(note)] = note

    def end(self) -> None:
        """Note that nothing is being turned."""
        self._map[0] = 0

    def deaths(self) -> Mapping[RunId, tuple[int, int]]:
        """Return each run that ended engines: at how many facts, and how often in a row there."""
        return dict(self._deaths)

    def forgive(self, run: RunId) -> None:
        """Forget what a run did."""
        if self._deaths.pop(run, None) is not None:
            self._write()

    def close(self) -> None:
        """Let the file go; what was being turned stays noted."""
        self._map.close()

    def _read(self) -> dict[RunId, tuple[int, int]]:
        """Return the deaths so far, the one included that the note tells of."""
        found: dict[RunId, tuple[int, int]] = {}
        try:
            kept = cast("dict[str, list[int]]", json.loads(self._map[NOTE_BYTES:].rstrip(b"\0") or b"{}"))
            found = {RunId(run): (place, count) for run, (place, count) in kept.items()}
        except (ValueError, TypeError, AttributeError):
            found = {}  # Written by half when the machine went down: to begin anew does no harm.
        place, _, run = self._map[:NOTE_BYTES].partition(b"\n")[0].partition(b" ")
        if place.isdigit() and run:
            name, at = RunId(run.decode(errors="replace")), int(place)
            before = found.pop(name, (at, 0))
            found[name] = (at, before[1] + 1 if before[0] == at else 1)
        return found

    def _write(self) -> None:
        while len(self._deaths) > KEPT:
            del self._deaths[next(iter(self._deaths))]
        text = json.dumps(self._deaths).encode()[: FILE_BYTES - NOTE_BYTES]
        self._map[:] = (bytes(NOTE_BYTES) + text).ljust(FILE_BYTES, b"\0")
