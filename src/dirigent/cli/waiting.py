"""Run what takes time, and ask a person. The first Ctrl-C ends in order, the second at once.

Ending at once is safe: what is not in the journal did not happen, and what is will go on.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Final, TypeAlias, cast

from dirigent.cli.exits import Exit
from dirigent.cli.output import note
from dirigent.model.problem import refuse

# A faster event loop, where it is installed (`dirigent[speed]`): decision 11.
FASTER: Final = "uvloop"

LoopFactory: TypeAlias = Callable[[], asyncio.AbstractEventLoop]
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):
    """A person stopped the command, and was told what stands and how to go on."""


def wait_for(work: Coroutine[None, None, int]) -> int:
    """Run the asynchronous part of a command and return its exit code; Ctrl-C gives 130."""
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(_interruptible(work))
    except Interrupted:
        pass
    except asyncio.CancelledError:
        note("interrupted")
    return Exit.INTERRUPTED


def loop_factory() -> LoopFactory | None:
    """Return what makes the event loop; None for that of the standard library."""
    if importlib.util.find_spec(FASTER) is None:
        return None
    return cast("LoopFactory", importlib.import_module(FASTER).new_event_loop)


async def _interruptible(work: Coroutine[None, None, int]) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)

    def interrupt() -> None:
        for each in SIGNALS:
            loop.remove_signal_handler(each)
            signal.signal(each, _at_once)
        task.cancel()

    for each in SIGNALS:
        loop.add_signal_handler(each, interrupt)
    return await task


def _at_once(*_: object) -> None:
    os._exit(Exit.INTERRUPTED)


async def confirmed(question: str, expected: str = "") -> bool:
    """Ask on the terminal for yes or no, or for a certain word to be typed. Can be interrupted.

    Raises:
        Refusal: E7005 when nobody can be asked.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise refuse(
            "E7005",
            "nobody can be asked here: standard input is not a terminal",
            "add `--yes` to go on without a question; nothing was touched",
        )
    sys.stderr.write(question)
    sys.stderr.flush()
    answer = (await _line()).strip()
    return answer == expected if expected else answer.lower() in {"y", "yes"}


async def _line() -> str:
    """Return a line of the terminal without a thread, which Ctrl-C could not stop."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()
    descriptor = sys.stdin.fileno()

    def read() -> None:
        if not typed.done():
            typed.set_result(_read(descriptor))

    loop.add_reader(descriptor, read)
    try:
        return await typed
    finally:
        loop.remove_reader(descriptor)


def _read(descriptor: int) -> str:
    # A terminal hands lines over whole; its end (Ctrl-D) reads as nothing, which is no.
    return os.read(descriptor, 4096).decode(errors="replace")
