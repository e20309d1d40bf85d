"""One test from its start to what it came to, or once for each place of its journal, with a death there."""

from __future__ import annotations

from dataclasses import replace
from tempfile import TemporaryDirectory

from dirigent.app.trials.piece import Piece
from dirigent.app.trials.show import Show
from dirigent.lang.trial.trial import Trial
from dirigent.model.problem import Problem
from dirigent.testing.crash import Crash, Fuse
from dirigent.testing.idle import IdleClock
from dirigent.testing.shelf import MemoryDisk
from dirigent.testing.trial.coming import Came
from dirigent.testing.trial.judging import judged
from dirigent.testing.trial.world import World

_PLACES_IN_APPEND = 2


def played(piece: Piece, trial: Trial) -> tuple[Came, list[Problem]]:
    """Return what a test came to, and what is not as it was expected."""
    fuse = Fuse()
    came = _whole(piece, trial, fuse)
    problems = judged(trial, came)
    if problems or not trial.crash:
        return came, problems
    odd = 1 if trial.crash == "before-each-append" else 0
    places = list(enumerate(fuse.places, 1))
    for number, place in places:
        if number % _PLACES_IN_APPEND == odd:
            again = _whole(piece, trial, Fuse(number))
            problems = judged(trial, again)
            if problems:
                return again, [_after_crash(trial, place), *problems]
    return came, []


def _after_crash(trial: Trial, place: str) -> Problem:
    when, _, what = place.partition(" ")
    position, _, facts = what.partition(" ")
    recorded = (
        f"fact {position.rpartition('@')[2]} (`{facts}`) is recorded" if facts else "an event is taken in"
    )
    return Problem(
        "E7089",
        f"it ends differently with a crash {when} {recorded}",
        trial.span,
        "what differs is said below",
        (),
        ("without a crash the test passes",),
    )


def _whole(piece: Piece, trial: Trial, fuse: Fuse) -> Came:
    """Play a test to its end, in as many lives as it takes."""
    clock = IdleClock(trial.start)
    with TemporaryDirectory(prefix="dirigent-test-") as folder:
        show = Show(piece, trial, clock, World(trial.answers), MemoryDisk(), fuse, folder)
        while True:
            try:
                return replace(clock.run(show.life), refused=tuple(show.refused))
            except Crash:
                if show.down:
                    # Nobody drives for a while; the places of death are counted on.
                    clock.pass_by(show.down)
                    show.down, fuse.dead = 0.0, False
                else:
                    fuse.revive()
