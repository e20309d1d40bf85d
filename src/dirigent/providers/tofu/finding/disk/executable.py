"""The program of a provider: which file it is, and whether this machine can run it at all.

A program for another processor, or linked to a C library that is not here, fails with words that
help nobody; its head says as much before it is started.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO, Final

from dirigent.providers.tofu.finding.naming import PROGRAM, Source

_ELF: Final = b"\x7fELF"
_HEAD_BYTES: Final = 64
# The class of 64 bits, the order of bytes that all of these have, and the segment that names a loader.
_WIDE: Final = 2
_LITTLE: Final = 1
_INTERPRETER: Final = 3
_MOST_SEGMENTS: Final = 128
_LONGEST_PATH: Final = 4096
# Of what processor a program is, and which of them this machine's kind runs.
_MACHINES: Final = {3: "386", 40: "arm", 62: "amd64", 183: "arm64"}
_RUNS: Final = {"amd64": {"amd64", "386"}, "arm64": {"arm64", "arm"}}


class Unrunnable(Exception):
    """A program cannot be run here; the message says why, as the end of a sentence about it."""


def program_in(folder: Path, source: Source) -> Path:
    """Return the program of an unpacked provider. Raises `Unrunnable`, `OSError`."""
    name = PROGRAM + source.type
    found = [
        each
        for each in sorted(folder.iterdir())
        if each.is_file() and (each.name.partition("_")[0] == name or each.name == f"{name}.exe")
    ]
    if len(found) != 1:
        raise Unrunnable(f"holds {len(found) or 'no'} files of the name `{name}`, and one is the program")
    return found[0]


def sound(program: Path, platform: str) -> None:
    """Look at a program before it is started. Raises `Unrunnable`, `OSError`."""
    if not program.is_file():
        raise Unrunnable("is not there" if not program.exists() else "is not a file")
    if not os.access(program, os.X_OK):
        raise Unrunnable(f"may not be executed; `chmod +x {program}` lets it")
    with program.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        if head.startswith(_ELF):
            _check_elf(stream, head, platform)
        elif head.startswith(b"#!"):
            _check_there(head[2:].split(b"\n")[0].split()[:1], "is a script for")
        elif not head:
            raise Unrunnable("is empty")


def _check_elf(stream: BinaryIO, head: bytes, platform: str) -> None:
    if len(head) < _HEAD_BYTES or head[5] != _LITTLE:
        return
    machine = _MACHINES.get(struct.unpack_from("<H", head, 18)[0], "another processor")
    here = platform.partition("_")[2]
    if here and machine not in _RUNS.get(here, {here}):
        raise Unrunnable(f"is made for {machine}, and this machine is {here}")
    _check_there(_interpreter(stream, head, wide=head[4] == _WIDE), "is linked to")


def _interpreter(stream: BinaryIO, head: bytes, *, wide: bool) -> list[bytes]:
    """Return the loader that a program names, where it names one."""
    at = struct.unpack_from("<Q", head, 32)[0] if wide else struct.unpack_from("<I", head, 28)[0]
    size, count = struct.unpack_from("<HH", head, 54 if wide else 42)
    for each in range(min(count, _MOST_SEGMENTS)):
        stream.seek(at + each * size)
        entry = stream.read(size)
        if len(entry) < (40 if wide else 32) or struct.unpack_from("<I", entry)[0] != _INTERPRETER:
            continue
        place = struct.unpack_from("<Q", entry, 8)[0] if wide else struct.unpack_from("<I", entry, 4)[0]
        length = struct.unpack_from("<Q", entry, 32)[0] if wide else struct.unpack_from("<I", entry, 16)[0]
        stream.seek(place)
        return [stream.read(min(length, _LONGEST_PATH)).rstrip(b"\0")]
    return []


def _check_there(words: list[bytes], what: str) -> None:
    for each in words:
        path = Path(os.fsdecode(each))
        if path.is_absolute() and not path.exists():
            raise Unrunnable(f"{what} `{path}`, which is not on this machine")
