"""Whoever asks at the door of an engine costs it little: the same program is read once."""

from __future__ import annotations

import asyncio

from dirigent.model.ids import RunId
from dirigent.model.program import Program, Sequence, Set, Task
from dirigent.model.run.start import Start
from dirigent.service import door
from dirigent.stores.empty import EmptyStore


class Noting:
    """A conductor that notes which runs it was asked to start."""

    def __init__(self):
        self.starts = []

    async def start(self, start):
        self.starts.append(start)
        return start.id


def program(text):
    root = Task("all", "", Sequence((Task("one", "/do/0/one", Set({"text": text})),)))
    return Program("naked", "test", "1.0.0", root)


def asked(tmp_path, *programs):
    noting = Noting()

    async def ask():
        path = str(tmp_path / "door")
        async with door.opened(path, noting):
            client = door.DoorConductor(path, EmptyStore())
            for number, each in enumerate(programs):
                await client.start(Start(RunId(f"run-{number}"), each, {"number": number}))

    asyncio.run(ask())
    return noting.starts


def test_the_same_program_is_the_same_object_for_every_start(tmp_path):
    first, second = asked(tmp_path, program("a"), program("a"))
    assert first.program is second.program
    assert first.program == program("a")
    assert (first.input, second.input) == ({"number": 0}, {"number": 1})


def test_another_program_is_another(tmp_path):
    first, second = asked(tmp_path, program("a"), program("b"))
    assert (first.program, second.program) == (program("a"), program("b"))
