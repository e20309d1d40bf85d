"""Those outside: clients who ask until they are answered, and people who look after runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from dirigent.lang.schedule.program import program_of
from dirigent.model.events.listening import key_of
from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Done
from dirigent.model.run.journal import (
    CancelRequested,
    Overruled,
    Repeated,
    Resumed,
    Retried,
    Signalled,
    Skipped,
    Suspended,
    Vouched,
)
from dirigent.model.run.origin import Origin
from dirigent.model.run.start import Start
from dirigent.model.run.ticket import Ticket
from dirigent.stores import codec
from dirigent.testing import Dice
from dirigent.testing.virtual import EPOCH
from simulation.rig.bench import BEAT, RUNS, Bench
from simulation.rig.code import improvised
from simulation.rig.guided import Guided
from simulation.rig.outcomes import redacted
from simulation.rig.plan import BEATEN

# What a run answers to a word that it cannot take.
UNFIT = {"E4003", "E4004"}
LOOK = 4.0
# Held effects are answered when nothing that was sent can still arrive; suspended runs go on at last.
PATIENCE = 9.0
HEALED = 60.0
# Who has listened for so long when all is well will not hear anything any more.
DEAF = 25.0
HEARD = "an event that fits is not left lying"
# What a person says that a task gave.
GIVEN = {"n": 3}


@dataclass
class Clients(Bench):
    """Those who start runs, wait for them and tell of events, until they are answered.

    `acknowledged` are the runs whose start was answered, `told_of` the numbers of the events, `errands` what
    somebody has still to say to a run that has failed.
    """

    acknowledged: set = field(default_factory=set)
    answers: dict = field(default_factory=dict)
    unheard: list = field(default_factory=list)
    told_of: set = field(default_factory=set)
    errands: dict = field(default_factory=dict)
    states: dict = field(default_factory=dict)
    read: list = field(default_factory=list)
    finished: bool = False
    why: str = ""

    def __post_init__(self):
        super().__post_init__()
        self.retries = [word for word in self.plan.words if word.what.startswith("retry")]
        self.asked = set()

    def run_id(self, number):
        return RunId(f"run-{number}" if self.plan.runs[number].schedule is None else BEAT)

    def ask(self, life, work, then):
        """Have an engine do something; `then` gets what it gives. One that fails is replaced."""

        def done(task):
            if not life.process.alive or task.cancelled():
                return
            failure = task.exception()
            if failure is None or (isinstance(failure, Refusal) and failure.problems[0].code in UNFIT):
                then(failure, None if failure else task.result())
            else:
                self.failed(life, failure)

        life.process.create_task(work).add_done_callback(done)

    def opened(self, life, task):
        if not life.process.alive or task.cancelled():
            return
        if task.exception() is not None:
            self.failed(life, task.exception())
            return
        life.open = True
        if life.engine.left_out:
            # It says which runs it could not read; whoever runs it starts it again.
            self.failed(life, next(iter(life.engine.left_out.values())))
            return
        for number, entry in enumerate(self.plan.runs):
            if EPOCH + entry.at <= self.universe.now:
                self.begin(number)
        for word in [word for word in self.unheard if EPOCH + word.at <= self.universe.now]:
            self.unheard.remove(word)
            self.speak(word)
        for event in self.plan.events:
            if EPOCH + event.at <= self.universe.now:
                self.inform(event)
        for number, word in list(self.errands.items()):
            self.retry(number, word)

    def begin(self, number):
        """Ask for a run until somebody says that it is there, then wait for its end."""
        life, run = self.lives[-1], self.run_id(number)
        if not life.open or life.failed:
            return
        if run in self.acknowledged:
            if run not in self.answers:
                self.ask(life, life.engine.wait(run), partial(self.ended, run))
            return
        entry = self.plan.runs[number]
        if entry.again is not None and self.run_id(entry.again) not in self.answers:
            return  # There is nothing to run again yet.
        if entry.schedule is not None:
            self.ask(life, self.scheduled(life, entry), partial(self.started, life, number))
            return
        ticket = Ticket(RUNS, number % 2) if entry.queued else None
        if entry.coded is None:
            program, given = self.parts.program(self.given[f"p{entry.program}"]), entry.given
        else:
            program, given = improvised.program, improvised.given(entry.coded)
        origin = None if entry.again is None else Origin("rerun", self.run_id(entry.again), by="somebody")
        start = Start(run, program, given, {"doubt": entry.policy}, ticket=ticket, origin=origin)
        self.ask(life, life.engine.start(start), partial(self.started, life, number))

    async def scheduled(self, life, entry):
        """Start a schedule, as `up` does."""
        definition = await life.engine.journal.keep(self.given[BEATEN])
        program = program_of("beat", entry.schedule, definition, entry.given, {"doubt": entry.policy})
        begun = EPOCH + entry.at
        state = {"anchor": begun, "considered": begun, "last": ""}
        await life.engine.start(Start(RunId(BEAT), program, state, {}))

    def started(self, life, number, refused, _):
        run = self.run_id(number)
        self.history.law("an acknowledged start is durable", run in self.disk.journals, run)
        if run not in self.acknowledged:
            self.acknowledged.add(run)
            self.say("client", f"is told that {run} is there")
        self.ask(life, life.engine.wait(run), partial(self.ended, run))

    def ended(self, run, refused, end):
        self.history.catch_up(self.committed)
        self.history.law("an end that is told is durable", end in self.history.facts[run], end)
        if self.history.ends.get(run) != end:
            return  # Said by an engine that had been taken over before the run was retried.
        self.answers[run] = end
        for number, entry in enumerate(self.plan.runs):
            if self.run_id(number) == run and number not in self.errands:
                self.after(number, end)
            if entry.again is not None and self.run_id(entry.again) == run:
                self.begin(number)

    def after(self, number, end):
        """Somebody may have a run that failed go on."""
        word = next((word for word in self.retries if word.run == number), None)
        if end.phase == "faulted" and word is not None:
            self.retries.remove(word)
            self.errands[number] = word
            self.world.process.call_later(word.at, self.retry, number, word)

    # -- events ---------------------------------------------------------------------------------

    def inform(self, told):
        """Tell of an event until somebody says that it was taken in; an event comes into the log once."""
        life = self.lives[-1]
        if told.number in self.told_of:
            return
        if life.open and not life.failed:
            self.ask(life, life.engine.events.take([told.event]), partial(self.informed, told))
        elif told.direct and not life.process.alive:
            self.say("somebody", f"puts event {told.number} into the log, while no engine is up")
            self.disk.log(self.universe.now, told.event)
            self.informed(told, None, None)

    def informed(self, told, refused, _):
        self.told_of.add(told.number)
        known = key_of(told.event) in self.disk.events
        self.history.law("an acknowledged event is in the log", known, told)

    def log(self):
        """Every event of the log, in order, with when it arrived."""
        found = sorted(self.disk.events.values())
        while len(self.read) < len(found):
            _, at, run, content = found[len(self.read)]
            self.read.append((at, codec.decode_event(content), run))
        return [(at, event) for at, event, _ in self.read]

    def failed(self, life, failure):
        """An engine that says that it failed is left alone for a moment, then ended and replaced."""
        if life.failed:
            return
        life.failed = True
        self.say(f"engine {life.number}", f"fails: {failure}")
        if not isinstance(failure, Refusal):
            raise failure
        self.world.process.call_later(0.5, self.bury, life)

    def bury(self, life):
        life.process.kill()
        self.reopen(life)


@dataclass
class People(Clients):
    """Those who say something to runs, and look after what is held."""

    def speak(self, word):
        """Say something to a run; if nobody listens, say it later."""
        life = self.lives[-1]
        if not life.open or life.failed:
            self.unheard.append(word)
            return
        now, coded = self.universe.now, self.plan.runs[word.run].coded is not None
        if coded != (word.what == "signal") and word.what in {"signal", "skip", "output"}:
            return  # Only code listens, and of code nobody says what it should have given.
        if word.what in {"skip", "output"}:
            self.overrule(self.run_id(word.run), word)
            return
        facts = {
            "cancel": CancelRequested(now, "enough"),
            "suspend": Suspended(now),
            "resume": Resumed(now),
            "signal": Signalled(now, "go", f"{word.at}", word.run),
        }
        self.tell(self.run_id(word.run), facts[word.what])

    def tell(self, run, fact):
        life = self.lives[-1]
        if not life.open or life.failed:
            return
        self.say("somebody", f"says to {run}:", fact)
        self.ask(life, life.engine.tell(run, fact), partial(self.told, run, fact))

    def told(self, run, fact, refused, _):
        if refused is None:
            self.history.catch_up(self.committed)
            self.history.law("an acknowledged word is durable", fact in self.history.facts[run], fact)

    def overrule(self, run, word):
        """Answer for one of the tasks that run."""
        self.history.catch_up(self.committed)
        if run in self.history.facts and run not in self.history.ends:
            names = list(self.guided(run).oracle.running)
            if names:
                name, now = names[word.number % len(names)], self.universe.now
                output = GIVEN if word.what == "output" else None
                self.tell(run, Overruled(now, *name, word.what, output, "enough", "somebody"))

    def guided(self, run):
        """The oracle at the end of the journal of a run."""
        facts = self.history.facts[run]
        name = self.disk.titles[facts[0].definition].name
        return Guided(self.drawn[name], self.log()).follow(facts)

    def retry(self, number, word):
        """Have a run that failed go on from a task, mostly the one that failed."""
        run, life = self.run_id(number), self.lives[-1]
        if not life.open or life.failed or self.errands.get(number) is not word:
            return
        if (life.number, word) in self.asked:
            return  # This engine is about to answer.
        self.asked.add((life.number, word))
        self.history.catch_up(self.committed)
        end = self.history.ends.get(run)
        if end is None or end.phase != "faulted":
            self.gone_on(number)  # An engine before this one had written it down, and did not say so.
            return
        guided = self.guided(run)
        entered = guided.oracle.entered
        failed = [each for each in entered if each[2] == end.fault.instance]
        # What no task could help (a limit of the run, an effect that was cancelled) has no place.
        *name, _ = failed[-1] if failed and word.number % 10 < 6 else entered[word.number % len(entered)]
        answer = word.what.partition(" ")[2] or "again"
        output = GIVEN if answer == "output" else None
        fact = Retried(self.universe.now, *name, answer, output, "the printer is back", "somebody")
        helps = guided.standing(tuple(name)).stands(tuple(name))
        self.say("somebody", f"says to {run}:", fact)
        asked = (fact, len(guided.facts), helps)
        self.ask(life, life.engine.tell(run, fact), partial(self.retried, number, asked))

    def retried(self, number, asked, refused, _):
        fact, facts, helps = asked
        self.history.catch_up(self.committed)
        # An engine that was taken over meanwhile refuses what its successor has written down.
        if refused is None or len(self.history.facts[self.run_id(number)]) == facts:
            holds = helps == (refused is None)
            self.history.law("a retry is taken where it helps, and nowhere else", holds, fact)
        if refused is None:
            self.told(self.run_id(number), fact, None, None)
            self.gone_on(number)
        else:
            self.errands.pop(number, None)

    def gone_on(self, number):
        """A run is open again: who waited for its end waits once more."""
        if self.errands.pop(number, None) is not None:
            del self.answers[self.run_id(number)]
            self.begin(number)

    def look(self):
        """Somebody looks at the list of runs now and then."""
        if self.finished or self.plan.lazy:
            return
        self.world.process.call_later(LOOK, self.look)
        now = self.universe.now
        for run, effects in list(self.history.held.items()):
            for (position, attempt), since in list(effects.items()):
                if now - since >= PATIENCE and run not in self.history.suspended:
                    self.tell(run, self.judged(run, position, attempt))
        if now >= EPOCH + HEALED:
            for run, follows in sorted(self.history.suspended.items()):
                if not follows:  # The others follow their parents.
                    self.tell(run, Resumed(now))
            self.relieve(now)

    def relieve(self, now):
        """Somebody stops what listens for events that nobody will tell of any more."""
        for run, ears in self.history.listening.items():
            since = min(ears.values(), default=now)
            halted = run in self.history.suspended or run in self.history.ends
            if since < now - DEAF and not halted and self.resumed_before(run, now - DEAF):
                self.history.law(HEARD, not self.left_out(run, now - DEAF), f"{run}: {ears}")
                self.tell(run, CancelRequested(now, "nobody will tell of it"))

    def resumed_before(self, run, at):
        facts = self.history.facts[run]
        return all(fact.at < at for fact in facts if isinstance(fact, Resumed | Retried | Suspended))

    def left_out(self, run, before):
        """The first event that somebody listens for, that arrived a while ago and that he was not told."""
        guided = self.guided(run)
        guided.log = [each for each in guided.log if each[0] < before]
        missed = (guided.missed(wanted.hearing) for wanted in guided.oracle.listening.values())
        return next((event for event in missed if event is not None), None)

    def judged(self, run, position, attempt):
        """What an honest person says of an effect in doubt: he goes and looks."""
        now, this = self.universe.now, (run, position, attempt)
        if self.world.happened[this]:
            found = self.world.results[this]
            assert isinstance(found, Done)
            return Vouched(now, position, attempt, redacted(found.output))
        coded = self.history.facts[run][0].definition in self.coded
        if not coded and Dice(self.plan.seed, f"{this}").chance(25):
            return Skipped(now, position, attempt)
        return Repeated(now, position, attempt)
