"""Start runs, find them, and put a person's word into them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from dirigent.model.ids import RunId
from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow, assemble
from dirigent.model.run.effect import PAUSED
from dirigent.model.run.journal import (
    CancelRequested,
    Ended,
    Fact,
    Repeated,
    Resumed,
    Signalled,
    Skipped,
    Suspended,
    Vouched,
)
from dirigent.model.run.start import Start
from dirigent.model.run.summary import RunSummary
from dirigent.model.run.ticket import Ticket
from dirigent.model.stack import Stack, StackWorkflow
from dirigent.model.values import SecretRef, SecretText, Value
from dirigent.ports import Clock, Conductor, Journal, Shelf, Vault
from dirigent.service.finding import find
from dirigent.service.plans import Planner
from dirigent.service.steering.held import held_of, named, refuse_unknown

# Letters and digits that people do not take for each other.
_LETTERS: Final = "abcdefghjkmnpqrstvwxyz23456789"
_SUFFIX: Final = 7
RUN_ID_CHARACTERS: Final = 128
# What people copy from a line of text, and no terminal takes for an order.
_RUN_ID: Final = re.compile(rf"[\w.:/@+=-]{{1,{RUN_ID_CHARACTERS}}}")
_SHOWN: Final = 60
_ENDED: Final = {"faulted": "failed", "cancelled": "was cancelled"}


class Driven(Protocol):
    """A desk at which runs can be started and steered."""

    @property
    def journal(self) -> Journal:
        """Return the journals."""
        ...

    @property
    def shelf(self) -> Shelf:
        """Return what can be asked beside them."""
        ...

    @property
    def clock(self) -> Clock:
        """Return the clock."""
        ...

    @property
    def conductor(self) -> Conductor:
        """Return who drives."""
        ...


def name_run(name: str) -> RunId:
    """Return a run id that a person can say: the name of what runs, and letters drawn at random."""
    return RunId(f"{name}-{''.join(secrets.choice(_LETTERS) for _ in range(_SUFFIX))}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A workflow that a user wants to run, with what it is given."""

    program: Program
    input: Value
    metadata: Mapping[str, Value]

    def start(self, run: RunId | None = None, ticket: Ticket | None = None, *, unique: bool = False) -> Start:
        """Return the start of a new run of it, or of the run with that id. Raises `Refusal` (E4018).

        With a `ticket` it waits for its turn, and with `unique` nothing else may have its deduplication key.
        """
        if run is not None and not _RUN_ID.fullmatch(run):
            raise refuse(
                "E4018",
                f"`{run[:_SHOWN]}` cannot name a run",
                f"take 1 to {RUN_ID_CHARACTERS} letters, digits and `. _ - : / @ + =`, with no space",
            )
        name = run or name_run(self.program.name)
        return Start(name, self.program, self.input, self.metadata, ticket=ticket, unique=unique)


async def of_stack(
    planner: Planner, stack: Stack, inputs: Mapping[str, Value], name: str, given: Value
) -> Wanted:
    """Return a workflow of a stack, its wired input under the given one.

    Raises:
        Refusal: E4010 for a name that the stack does not have; E2xxx when a wired input needs a
            resource that is not there yet.
    """
    workflow = stack.workflows.get(name)
    if workflow is None:
        known = ", ".join(stack.workflows) or "none"
        raise refuse("E4010", f"stack `{stack.name}` has no workflow `{name}`", f"it has: {known}")
    wired = await planner.evaluate(stack, inputs, workflow.input)
    rows = await planner.shelf.rows()
    return Wanted(workflow.program, _merged(wired, given), metadata_of(stack, rows))


def naked(program: Program, given: Value) -> Wanted:
    """Return a workflow of a file that belongs to no stack."""
    return Wanted(program, {} if given is None else given, {})


def in_doubt(wanted: Wanted, policy: str) -> Wanted:
    """Return what is wanted with another policy for effects in doubt; an empty one changes nothing."""
    return replace(wanted, metadata={**wanted.metadata, "doubt": policy}) if policy else wanted


def check_secrets(vault: Vault, names: Iterable[str]) -> None:
    """Raise `Refusal` (E6001) unless every one of these secrets has a value: nothing starts without."""
    problems: list[Problem] = []
    for name in names:
        try:
            vault.reveal(SecretText((SecretRef(name),)))
        except Refusal as refusal:
            problems.extend(refusal.problems)
    if problems:
        raise Refusal(problems)


def _merged(wired: dict[str, Value], given: Value) -> Value:
    if given is None:
        return wired
    if isinstance(given, dict):
        return {**wired, **given}
    return given


def metadata_of(stack: Stack, rows: Sequence[ResourceRow]) -> dict[str, Value]:
    """Return what `$runtime.metadata` shows: the stack, its resources, and the hosts it may reach."""
    resources = assemble({row.address: row.attributes for row in rows if "#" not in row.address})
    hosts: list[Value] = [*stack.hosts, *(host for row in rows for host in _hosts(row))]
    shown: dict[str, Value] = {"stack": stack.name, "resources": resources, "hosts": hosts}
    return {**shown, "doubt": stack.doubt.value, **({"probes": [*stack.probes]} if stack.probes else {})}


def _hosts(row: ResourceRow) -> list[str]:
    host, port = row.attributes.get("host"), row.attributes.get("port")
    return [f"{host}:{port}"] if isinstance(host, str) and isinstance(port, int) else []


def catalogue(
    workflows: Mapping[str, StackWorkflow], others: Sequence[Program] = ()
) -> dict[tuple[str, str, str], Program]:
    """Return programs by namespace, name and version; `latest` is the highest version of a name."""
    programs = [*(workflow.program for workflow in workflows.values()), *others]
    found = {(p.namespace, p.name, p.version): p for p in programs}
    for program in sorted(programs, key=lambda p: _rank(p.version)):
        found[program.namespace, program.name, "latest"] = program
    return found


def _rank(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Order versions as semantic versioning does, for versions that are valid."""
    release, _, rest = version.partition("-")
    numbers = tuple(int(part) for part in release.partition("+")[0].split(".") if part.isdigit())
    return (numbers, not rest, rest)


async def answers_for(
    journal: Journal, run: RunId, choice: str, at: float, output: Value = None
) -> list[Fact]:
    """Return the facts that let every held effect of a run go on: `done`, `repeat` or `skip`.

    Raises:
        Refusal: E4012 when nothing of the run is held, E2052 for `done` where a step failed and waits to be
            mended, E2037 where it would leave what was made unknown.
    """
    held = await held_of(journal, run)
    failed = [each.fact for each in held if PAUSED in each.fact.evidence]
    if failed and choice == "done":
        raise refuse(
            "E2052",
            f"{failed[0].reason}: it failed, so nobody can say that it is done",
            f"mend it, then `dirigent resume {run} --repeat`; or pass over it with `--skip`",
        )
    if choice == "done":
        refuse_unknown(held, run)
    answers: list[Fact] = []
    for fact in (each.fact for each in held):
        match choice:
            case "done":
                answers.append(Vouched(at, fact.position, fact.attempt, output))
            case "repeat":
                answers.append(Repeated(at, fact.position, fact.attempt))
            case _:
                answers.append(Skipped(at, fact.position, fact.attempt))
    return answers


async def let_go(
    desk: Driven,
    found: RunSummary,
    choice: str = "",
    output: Value = None,
    by: str = "",
    names: Sequence[str] = (),
) -> None:
    """Let a run go on: answer what it holds with `done`, `repeat` or `skip`, and end its suspension.

    Or with `names`: under which ids there is what creations in doubt have made (E2036).

    A run that is over is left as it is.

    Raises:
        Refusal: E4012 when there is a choice and nothing is held, and as `answers_for`.
    """
    if not found.open:
        return
    if choice:
        for fact in await answers_for(desk.journal, found.id, choice, desk.clock.now(), output):
            await desk.conductor.tell(found.id, fact)
    if names:
        for word in named(await held_of(desk.journal, found.id), found.id, names, desk.clock.now()):
            await desk.conductor.tell(found.id, word)
    if found.phase == "suspended":
        await desk.conductor.tell(found.id, Resumed(desk.clock.now(), by=by))


async def cancel(desk: Driven, wanted: str, reason: str, by: str = "") -> tuple[RunId, Ended]:
    """Stop a run for good and return how it ended.

    Raises:
        Refusal: E4003 when it is over already.
    """
    found = await _open(desk.shelf, wanted)
    await desk.conductor.tell(found.id, CancelRequested(desk.clock.now(), reason, by))
    return found.id, await desk.conductor.follow(found.id, lambda *_: None)


async def suspend(desk: Driven, wanted: str, reason: str, by: str = "") -> RunId:
    """Stop a run for a while.

    Raises:
        Refusal: E4003 when it is over, or suspended already.
    """
    found = await _open(desk.shelf, wanted)
    await desk.conductor.tell(found.id, Suspended(desk.clock.now(), reason, by))
    return found.id


async def signal(desk: Driven, wanted: str, event: str, data: Value, key: str = "") -> RunId:
    """Send an event to a run. One with the same key is taken once only; without a key every one counts.

    Raises:
        Refusal: E4003 when it is over, E4034 when it is no workflow of code, E4035 when it has too many.
    """
    found = await _open(desk.shelf, wanted)
    name = key or secrets.token_hex(8)
    await desk.conductor.tell(found.id, Signalled(desk.clock.now(), event, name, data))
    return found.id


async def _open(shelf: Shelf, wanted: str) -> RunSummary:
    found = await find(shelf, wanted)
    if not found.open:
        raise refuse("E4003", f"run `{found.id}` is over: it {_ENDED.get(found.phase, found.phase)}")
    return found
