"""What must hold of schedules: each time starts one run, none early, and none is lost but by a rule.

The times are counted here by themselves; when they were looked at is what the journal of the schedule says.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from dirigent.lang.schedule.calendar import put_off
from dirigent.model.run.journal import CancelRequested, Created, Ended, Succeeded, Suspended
from dirigent.model.run.schedule import LATE_SECONDS
from dirigent.testing.virtual import EPOCH
from simulation.rig.bench import BEAT
from simulation.rig.history import INSTANT

NAME = "beat"
# Where nothing fails, a run begins so soon after its time.
PROMPT = 0.1
EVERY_TEN = 10.0
# A turn that has decided may take so long until its run is there: what is slow, and a pause.
SLOW = 25.0


def check(simulation):
    """Raise `Broken` with the first law that does not hold."""
    facts = simulation.history.facts
    entry = next((entry for entry in simulation.plan.runs if entry.schedule is not None), None)
    if entry is None or BEAT not in facts:
        return
    begun = defaultdict(list)
    for run, known in facts.items():
        if run.startswith(f"{NAME}@"):
            begun[known[0].origin.due].append(run)
    beat = Beat(simulation, entry.schedule, facts[BEAT], begun)
    beat.once()
    beat.apart()
    if entry.schedule.after is None:
        beat.by_the_calendar(EPOCH + entry.at)
    else:
        beat.after_each_other(EPOCH + entry.at)


class Beat:
    """One schedule: its journal, and the runs that it began by their times."""

    def __init__(self, simulation, schedule, facts, begun):
        self.history, self.struck = simulation.history, simulation.struck
        self.law, self.schedule, self.facts, self.begun = self.history.law, schedule, facts, begun
        self.turns = [fact.at for fact in facts if isinstance(fact, Succeeded)]
        self.halted = any(isinstance(fact, Suspended | CancelRequested) for fact in facts)
        self.ended = isinstance(facts[-1], Ended) and facts[-1].phase == "completed"

    def created(self, due):
        return self.history.facts[self.begun[due][0]][0].at

    def over(self, run):
        end = self.history.facts[run][-1]
        return end.at if isinstance(end, Ended) else float("inf")

    def due(self, at):
        return put_off(self.schedule, NAME, at)

    def once(self):
        """No time has two runs, none begins early, and each is begun by its first fact alone."""
        for at, runs in self.begun.items():
            self.law("a time of a schedule starts one run", len(runs) == 1, runs)
            created = [fact for fact in self.history.facts[runs[0]] if isinstance(fact, Created)]
            self.law("a run is created once", len(created) == 1, runs)
            # The first of those that follow each other begins at once.
            due = at if self.schedule.after is not None else self.due(at)
            self.law("a schedule starts nothing early", self.created(at) >= due - INSTANT, runs)

    def apart(self):
        """Runs of a schedule overlap only where they may."""
        if self.schedule.overlap == "allow" and self.schedule.after is None:
            return
        times = sorted(self.begun)
        for one, other in pairwise(times):
            over = self.over(self.begun[one][0])
            holds = self.created(other) >= over - INSTANT
            self.law("runs of a schedule overlap only where they may", holds, f"{self.begun[other]}: {over}")

    def times(self, anchor):
        """Every time until the end of the schedule."""
        every = self.schedule.every
        first = 1 if every is not None else int(anchor // EVERY_TEN) + 1
        number, found = first, []
        while True:
            at = round(anchor + number * every, 6) if every is not None else number * EVERY_TEN
            if at > self.schedule.end:
                return found
            found.append(at)
            number += 1

    def by_the_calendar(self, anchor):
        times = self.times(anchor)
        strange = [at for at in self.begun if at not in times]
        self.law("a schedule starts runs at its times only", not strange, lambda: f"{strange} of {times}")
        self.one_of_many(times)
        for number, at in enumerate(times):
            if at in self.begun:
                self.prompt(at)
            elif self.ended and not self.halted:
                words = f"{at - EPOCH} of {self.schedule} at turns {[turn - EPOCH for turn in self.turns]}"
                self.law("no time of a schedule is lost", self.passed_over(at, times[number + 1 :]), words)

    def one_of_many(self, times):
        """Of times that were missed the last one runs, or none."""
        schedule = self.schedule
        if schedule.misfire == "all" or schedule.overlap in {"queue", "replace"}:
            return
        for at, other in pairwise(times):
            if at in self.begun:
                late = self.created(at) - self.due(other) < SLOW
                self.law("of missed times only the last one runs", late, f"{self.begun[at]}: {other}")
        if schedule.misfire == "none":
            for at in self.begun:
                late = self.created(at) - self.due(at)
                self.law("what is late does not run where none may", late < LATE_SECONDS + SLOW, late)

    def prompt(self, at):
        waits = self.schedule.overlap in {"queue", "replace"}
        if self.struck or self.halted or waits:
            return
        late = self.created(at) - self.due(at)
        self.law("a schedule is punctual where nothing fails", late <= PROMPT, f"{at - EPOCH}: {late} s")

    def passed_over(self, at, later):
        """Whether a rule says that this time starts nothing: it was late, or the run before was open."""
        looked = next((turn for turn in self.turns if turn >= self.due(at)), None)
        if looked is None:
            return False
        open_then = any(
            self.created(other) <= looked and self.over(runs[0]) > self.due(at) - INSTANT
            for other, runs in self.begun.items()
            if other < at
        )
        if self.schedule.overlap == "skip" and open_then:
            return True
        if self.schedule.misfire == "all":
            return False
        missed = any(self.due(other) <= looked + INSTANT for other in later)
        return missed or (self.schedule.misfire == "none" and looked - self.due(at) > LATE_SECONDS)

    def after_each_other(self, anchor):
        """The first at once, each other one so long after the one before has ended."""
        times = sorted(self.begun)
        if times:
            self.law("a schedule starts runs at its times only", abs(times[0] - anchor) < INSTANT, times)
        for one, other in pairwise(times):
            due = self.over(self.begun[one][0]) + self.schedule.after
            holds = abs(other - due) < INSTANT
            self.law("a schedule starts runs at its times only", holds, f"{other} is not {due}")
