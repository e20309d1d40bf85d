"""One seed: engines one after the other and at the same time, on one disk, in one world, under one clock.

Clients ask until they are answered, people answer what is held, an operator replaces engines that died.
"""

from __future__ import annotations

from dataclasses import dataclass

from dirigent.testing.virtual import EPOCH
from simulation.rig.folds import held_by, state_of
from simulation.rig.people import HEALED, LOOK, People
from simulation.rig.plan import OUTAGE

DEADLINE = 4_000.0
STEPS_MAX = 40_000


@dataclass
class Simulation(People):
    """One seed, played."""

    def play(self):
        """Let it all happen; return why it ended."""
        world = self.world.process
        self.open()
        for number, entry in enumerate(self.plan.runs):
            world.call_later(entry.at, self.begin, number)
        for word in self.plan.words:
            if word not in self.retries:
                world.call_later(word.at, self.speak, word)
        for event in self.plan.events:
            world.call_later(event.at, self.inform, event)
        for place in ("time", "outage"):
            if (place, 1) in self.faults:
                fault = self.faults[place, 1]
                # An outage comes while the schedule goes on.
                at = fault.seconds if place == "time" else fault.seconds / OUTAGE * 20
                world.call_later(at, self.by_the_clock, fault)
        world.call_later(LOOK, self.look)
        self.why = self.universe.run(self.over, EPOCH + DEADLINE, STEPS_MAX)
        self.finished = True
        if self.why == "over" and not self.universe.complaints:
            quiet = self.universe.run(self.followed, self.universe.now + HEALED, STEPS_MAX)
            self.why = "busy" if quiet == "busy" else "over"
        for _, complaint in self.universe.complaints:
            raise complaint
        self.history.catch_up(self.committed)
        return self.why

    def followed(self):
        self.history.catch_up(self.committed)
        return False

    def over(self):
        """Everybody has been answered, and every run that is there has ended."""
        history = self.history
        if history.seen < len(self.disk.commits):
            history.catch_up(self.committed)
        return bool(self.universe.complaints) or (
            len(history.ends) == len(history.facts) >= len(self.plan.runs)
            and len(self.acknowledged) == len(self.plan.runs)
            and not self.asleep
            and self.lives[-1].open
            and len(self.answers) == len(self.plan.runs)
            and len(self.told_of) == len(self.plan.events)
            and not self.errands
        )

    # -- operators ------------------------------------------------------------------------------

    def by_the_clock(self, fault):
        life = self.lives[-1]
        if not life.process.alive or life.process.paused:
            return
        self.struck[fault.place, fault.what] += 1
        self.say(f"engine {life.number}", f"{fault.what}, at this time")
        if fault.what == "rival":
            self.open()
        elif fault.what == "crash":
            self.strike(life, fault)
        else:
            task = life.process.create_task(self.stop(life))
            task.add_done_callback(lambda _: self.bury(life))

    async def stop(self, life):
        await life.engine.settle(3.0)
        await life.engine.close()

    def heard(self, life, run, program, first, facts):
        """An engine tells its observers: never of what is not durable."""
        self.history.catch_up(self.committed)
        known = self.history.facts[run][first : first + len(facts)]
        self.history.law("nobody is told before it is durable", known == list(facts), lambda: (known, facts))
        if self.plan.seed % 4 == 0:
            run_now = held_by(life.engine, run)
            if run_now is not None and run_now.facts == first + len(facts):
                self.states.setdefault(run, {})[run_now.facts] = state_of(run_now)
