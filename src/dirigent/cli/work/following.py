"""Follow a run to its end, showing it on the way."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dirigent.app.conducting import Desk
from dirigent.cli.output import note
from dirigent.cli.text.picture import Heart, Picture, Screen, told
from dirigent.cli.text.terminal import Terminal, err, out
from dirigent.cli.waiting import Interrupted
from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.run.journal import Ended, Fact

FRAME_SECONDS: Final = 0.1


async def followed(desk: Desk, run: RunId, *, quiet: bool, seconds: float | None = None) -> Ended:
    """Return how a run ended. `quiet` shows nothing; `seconds` is how long to wait.

    Raises:
        Refusal: E4013 or E4015 when only a person can move it, E4016 when the time is over.
        Interrupted: on Ctrl-C; it leaves the run resumable.
    """
    picture = Picture(run)
    stopped = asyncio.Event()
    heart = Heart(desk.clock.now())
    live = not quiet and err().live and out().live
    plain = not quiet and not live

    def heard(_: RunId, program: Program, facts: Sequence[Fact]) -> None:
        picture.hear(program, facts)
        if plain:
            heart.heard(desk.clock.now())
            _tell(told(picture, facts))
        if picture.stopped:
            stopped.set()

    following = asyncio.ensure_future(desk.conductor.follow(run, heard))
    person = asyncio.ensure_future(stopped.wait())
    watching = asyncio.ensure_future(_beat(picture, desk, heart)) if plain else None
    try:
        with _drawn(picture, desk, err()) if live else _nothing():
            await asyncio.wait({following, person}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        # Said at once: the engine may take some seconds to end what must not be left in doubt.
        note(f"stopped; nothing is lost. Go on with: dirigent resume {run}")
        raise Interrupted from None
    finally:
        for task in (following, person, watching):
            if task is not None and not task.done():
                task.cancel()
    if following.done() and not following.cancelled():
        end = following.result()
        if live:
            note(picture.epilogue(end, err()))
        return end
    raise _left(run, picture.stopped)


def _left(run: RunId, stopped: str) -> Refusal:
    match stopped:
        case "paused":
            return refuse(
                "E2049",
                f"run `{run}` waits for you: a step failed, and the stack says to pause then",
                f"see what failed with `dirigent show {run}`, and mend it",
                f"then `dirigent resume {run} --repeat`, or pass over the step with `--skip`; "
                f"`dirigent cancel {run}` ends it, and what was done is kept",
            )
        case "held":
            return refuse(
                "E4013",
                f"run `{run}` is held: nobody can say whether an effect happened",
                f"look at the evidence with `dirigent show {run}`",
                f"then `dirigent resume {run} --done`, `--repeat` or `--skip`",
            )
        case "suspended":
            return refuse("E4015", f"run `{run}` is suspended", f"let it go on with `dirigent resume {run}`")
        case _:
            return refuse(
                "E4016",
                f"run `{run}` was not over in time; nothing is lost",
                f"let it go on with `dirigent resume {run}`",
            )


async def _beat(picture: Picture, desk: Desk, heart: Heart) -> None:
    while True:
        await asyncio.sleep(1.0)
        now = desk.clock.now()
        if heart.due(now):
            heart.heard(now)
            _tell([picture.heartbeat(now)])


def _tell(lines: Sequence[str]) -> None:
    try:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone (`dirigent up --yes | head`); the run is not its affair and goes on, unheard.
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _drawn(picture: Picture, desk: Desk, terminal: Terminal) -> Iterator[None]:
    """Draw the picture while the block runs, and take it away whatever happens."""
    screen = Screen(sys.stderr)
    foot = f"Ctrl-C stops here; go on with: dirigent resume {picture.run}"

    async def paint() -> None:
        while True:
            if picture.title:
                screen.draw(picture.lines(desk.clock.now(), terminal, foot))
            await asyncio.sleep(FRAME_SECONDS)

    painting = asyncio.ensure_future(paint())
    try:
        yield
    finally:
        painting.cancel()
        screen.clear()
