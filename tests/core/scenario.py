"""A scenario file: what is given, the document, and below `----` all that happens.

    input: VALUE                                    of the run
    world:                                          the first rule that fits decides; without one: `ok`
      - at: "*/charge"                              position, `*` and `?` as in file names
        gives: [OUTCOME, ...]                       by attempt; the last serves all later ones
    people:                                         what is said to the run
      - {at: SECONDS, say: cancel | suspend | resume | done | repeat | skip, output: VALUE}
    limits: {NAME: NUMBER}                          limits of the model, for this file
    ---
    do: [...]                                       the document, its head added

An outcome is `{done: VALUE}`, `{broken: STATUS, ...}` or `{doubt: REASON}`, with `seconds` if it takes time.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from functools import partial

import yaml

from core.simulation import Simulation, SlowLanguage
from dirigent.lang.workflow.document import read_naked
from dirigent.model import fault
from dirigent.model.run.effect import Broken, Done, Doubt
from dirigent.model.run.journal import (
    CancelRequested,
    Computed,
    Created,
    Ended,
    Failed,
    Intended,
    Repeated,
    Resumed,
    Skipped,
    Succeeded,
    Suspended,
    TimerSet,
    Vouched,
)

HEAD = "document: {dsl: 1.0.3, namespace: tests, name: scenario, version: 1.0.0}\n"
KINDS = {408: fault.TIMEOUT, 401: fault.AUTHENTICATION, 403: fault.AUTHORIZATION, 400: fault.CONFIGURATION}


def read(text):
    """The two parts above the line: what is given, and the program."""
    given, _, document = text.partition("---\n")
    program, problems = read_naked(HEAD + document, "scenario.yaml", SlowLanguage())
    errors = [str(problem) for problem in problems if problem.severity == "error"]
    assert not errors, "\n".join(errors)
    return yaml.safe_load(given) or {}, program


def simulation(given, program):
    """The run of a scenario, ready to be played."""
    rules = given.get("world", ())

    def outcome(command):
        rule = next((rule for rule in rules if fnmatchcase(command.position, rule["at"])), {})
        gives = rule.get("gives") or [{"done": "ok"}]
        # A person who has it done again sees what the next attempt would see.
        return made(gives[min(command.attempt + command.repeat, len(gives)) - 1])

    made_simulation = Simulation(program, outcome, given.get("input"), metadata=given.get("metadata", {}))
    made_simulation.people = [
        (said["at"], partial(heard, said, made_simulation)) for said in given.get("people", ())
    ]
    return made_simulation


def heard(said, simulation, at):
    """What a person says, when the time comes: answers go to the first held effect."""
    asks = [ask for ask in simulation.run.asks.values() if ask.status.value == "held"]
    return word(said, at, asks[0].key[:2] if asks else ("", 0))


def made(written):
    """An outcome and its seconds."""
    seconds = written.get("seconds", 0)
    if "doubt" in written:
        return Doubt(written["doubt"], {"seen": "nothing"}), seconds
    if "broken" in written:
        status = written["broken"]
        kind = written.get("type", KINDS.get(status, fault.COMMUNICATION))
        doubtful = written.get("doubtful", False)
        return Broken(fault.Fault(kind, status, written.get("title", ""), doubtful=doubtful)), seconds
    return Done(written["done"]), seconds


def word(said, at, held):
    """What a person says as a fact; `held` is the position and attempt that an answer is for."""
    position, attempt = held
    words = {
        "cancel": lambda: CancelRequested(at, said.get("reason", "")),
        "suspend": lambda: Suspended(at, said.get("reason", "")),
        "resume": lambda: Resumed(at),
        "done": lambda: Vouched(at, position, attempt, said.get("output")),
        "repeat": lambda: Repeated(at, position, attempt),
        "skip": lambda: Skipped(at, position, attempt),
    }
    return words[said["say"]]()


def trace(simulation):
    """One line for each fact, with what distinguishes it."""
    names = {}
    lines = []
    for fact in simulation.facts:
        place = f"{fact.position or '/'} {fact.attempt} " if hasattr(fact, "position") else ""
        line = f"{fact.at:<5g} {type(fact).__name__:<15} {place}{words(fact, simulation, names)}"
        lines.append(line.rstrip())
    if not isinstance(simulation.facts[-1], Ended):
        waits = [f"{ask.key[0]} {ask.key[1]} is {ask.status.value}" for ask in simulation.run.asks.values()]
        lines.append(f"open: {simulation.run.phase.value}; {', '.join(waits)}")
    return "\n".join(lines) + "\n"


def words(fact, simulation, names):
    match fact:
        case Created(input=value) | Succeeded(output=value) | Vouched(output=value):
            return compact(value)
        case Intended(position=position, attempt=attempt, request=request):
            effect = simulation.effects.get((position, attempt), "none")
            name = names.setdefault(effect, f"e{len(names) + 1}")
            return f"{name} {compact(brief(request))}"
        case Failed(fault=found):
            return shown(found) + (" doubtful" if found.doubtful else "")
        case Computed(slot=slot, answers=answers):
            each = [shown(a) if isinstance(a, fault.Fault) else compact(a) for a in answers]
            return f"{slot}: {', '.join(each)}"
        case Ended(phase=phase, output=output, fault=found):
            return f"{phase} {shown(found) if found else compact(output)}"
    until = f" until {fact.until:g}" if isinstance(fact, TimerSet) else ""
    return str(getattr(fact, "purpose", getattr(fact, "reason", ""))) + until


def brief(request):
    """A request without its members that say nothing."""
    if not isinstance(request, dict):
        return request
    return {k: v for k, v in request.items() if v not in (None, [], {}, False, "") and (k, v) not in COMMON}


COMMON = [("await", True), ("return", "stdout"), ("output", "content"), ("has_body", True)]


def shown(found):
    """A fault in one line: its kind, status, place and detail."""
    kind = found.type.removeprefix(fault.STANDARD)
    texts = [text for text in (found.title, found.detail) if text]
    place = [f"at {found.instance}"] if found.instance else []
    return " ".join([f"{kind} {found.status}", *place, *texts])


def compact(value):
    return json.dumps(value, separators=(",", ":"), default=str, ensure_ascii=False)
