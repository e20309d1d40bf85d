"""Play seeds: one with its trace, a range in several processes, and a failing one made smaller."""

from __future__ import annotations

import signal
import traceback
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from dirigent.model.problem import Refusal
from simulation.coverage import Coverage
from simulation.rig import laws
from simulation.rig.bench import SOUND
from simulation.rig.history import Broken
from simulation.rig.plan import plan_of
from simulation.rig.simulation import Simulation

CHUNK = 250
FAILURES_SHOWN = 5
# Of this process's own time: a seed that takes longer than this goes round without ever waiting.
CPU_SECONDS_MAX = 30


# What an engine may raise that nobody foresaw: a seed that meets it is a finding, and the range goes on.
UNFORESEEN = (
    *(AssertionError, Refusal, LookupError, TypeError, ValueError, AttributeError),
    *(RuntimeError, ArithmeticError, OSError),
)


class Hangs(BaseException):
    """A seed does not come back."""


def hangs(number, frame):
    raise Hangs


@dataclass(frozen=True)
class Failure:
    """A seed that broke a law; `plan` is what is left of it in words, empty for all of it."""

    seed: int
    law: str
    words: str
    plan: str = ""

    @property
    def command(self):
        """How to see it again."""
        return f"make simulate SEED={self.seed}" + (f" PLAN='{self.plan}'" if self.plan else "")


def played(plan, parts=SOUND, *, traced=False):
    """Play one plan; return the simulation, and its failure or None."""
    known = [(module, name, getattr(module, name)) for module, name, _ in parts.core]
    try:
        for module, name, planted in parts.core:
            setattr(module, name, planted)
        return judged(plan, parts, traced)
    finally:
        for module, name, sound in known:
            setattr(module, name, sound)


def judged(plan, parts, traced):
    simulation = Simulation(plan, parts, traced)
    failure = None
    signal.signal(signal.SIGVTALRM, hangs)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS_MAX)
    try:
        simulation.play()
        laws.check(simulation)
    except Broken as broken:
        failure = Failure(plan.seed, broken.law, str(broken))
    except Hangs:
        failure = Failure(plan.seed, "it comes back", f"no end after {CPU_SECONDS_MAX} CPU seconds")
    except UNFORESEEN as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        words = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
        failure = Failure(plan.seed, f"it raises {type(error).__name__}", words)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        simulation.universe.close()
    return simulation, failure


def digest(simulation):
    """A hash of all that happened: the trace, and what is stored."""
    stored = sorted(simulation.disk.journals.items())
    return blake2b(repr((simulation.trace, stored)).encode(), digest_size=12).hexdigest()


def lines_of(simulation):
    """The trace for people: virtual time, who, what."""
    for at, who, words in simulation.trace:
        yield f"{at:9.3f}  {who:<10} " + " ".join(str(word) for word in words)


def chunk(first, last):
    """Play seeds from `first` to before `last`."""
    coverage, failures = Coverage(), []
    for seed in range(first, last):
        simulation, failure = played(plan_of(seed))
        coverage.take(simulation)
        if failure is not None:
            failures.append(failure)
    return coverage, failures


def ranged(first, last, processes=1, each=None):
    """Play a range in several processes; return what was tried, and the failures in order."""
    coverage, failures = Coverage(), []
    starts = range(first, last, CHUNK)
    ends = [min(start + CHUNK, last) for start in starts]
    with ProcessPoolExecutor(processes) as pool:
        for part, found in pool.map(chunk, starts, ends):
            coverage.add(part)
            failures.extend(found)
            if each is not None:
                each(coverage, failures)
    return coverage, failures


# -- making a failing seed smaller --------------------------------------------------------------------


def shrunk(failure, parts=SOUND):
    """The smallest plan that still breaks the same law, in words; and its failure."""
    words, best = [], failure
    progress = True
    while progress:
        progress = False
        for word in smaller(reduced(plan_of(failure.seed), words)):
            _, found = played(reduced(plan_of(failure.seed), [*words, word]), parts)
            if found is not None and found.law == failure.law:
                words, best, progress = [*words, word], found, True
                break
    return replace(best, plan=" ".join(words))


def smaller(plan):
    """Words that make a plan smaller, the strongest first."""
    if len(plan.runs) > 1:
        yield from (f"runs={count}" for count in range(1, len(plan.runs)))
    if plan.words:
        yield "mute"
    yield from (f"without={fault.place.replace(' ', '-')}:{fault.number}" for fault in plan.faults)
    if plan.shuffled:
        yield "inorder"
    if plan.shape.children:
        yield "childless"
    for name in ("depth", "first", "more"):
        if getattr(plan.shape, name) > 1:
            yield f"{name}={getattr(plan.shape, name) - 1}"


def reduced(plan, words):
    """A plan made smaller by words."""
    for word in words:
        name, _, value = word.partition("=")
        match name:
            case "runs":
                kept = int(value)
                said = tuple(each for each in plan.words if each.run < kept)
                plan = replace(plan, runs=plan.runs[:kept], words=said)
            case "mute":
                plan = replace(plan, words=())
            case "without":
                place, _, number = value.replace("-", " ").partition(":")
                gone = (place, int(number))
                faults = tuple(fault for fault in plan.faults if (fault.place, fault.number) != gone)
                plan = replace(plan, faults=faults)
            case "inorder":
                plan = replace(plan, shuffled=False)
            case "childless":
                plan = replace(plan, shape=replace(plan.shape, children=()))
            case "depth" | "first" | "more":
                plan = replace(plan, shape=replace(plan.shape, **{name: int(value)}))
            case _:
                raise ValueError(f"`{word}` does not make a plan smaller")
    return plan
