"""Run what takes time, and ask a person. The first Ctrl-C ends in order, the second at once.

Ending at once is safe: what is not in the journal did not happen, and what is will go on.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine

from dirigent.cli.exits import Exit
from dirigent.cli.output import note
from dirigent.model.problem import refuse

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):
    """A person stopped the command, and was told what stands and how to go on."""


def wait_for(work: Coroutine[None, None, int]) -> int:
    """Run the asynchronous part of a command and return its exit code; Ctrl-C gives 130."""
    try:
        return asyncio.run(_interruptible(work))
    except Interrupted:
        pass
    except asyncio.CancelledError:
        note("interrupted")
    return Exit.INTERRUPTED


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
