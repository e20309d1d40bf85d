"""One effect from its order to its facts: the edge where the world's answers become data.

This is the only place that turns what a performer says into facts, and the only sink through which
results reach the journal: every one is redacted here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Final, assert_never

from dirigent.core.machine import Run
from dirigent.core.storable import TEXT_CHARACTERS, bounded, unstorable
from dirigent.model import fault as faults
from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.problem import Refusal
from dirigent.model.program import OnDoubt
from dirigent.model.record import dataclass
from dirigent.model.run.command import Abandon, Compute, Perform
from dirigent.model.run.effect import Broken, Done, Doubt, Order, Outcome
from dirigent.model.run.journal import (
    Abandoned,
    Computed,
    Created,
    Fact,
    Failed,
    Held,
    ResourceChanged,
    Succeeded,
)
from dirigent.model.values import Value
from dirigent.ports import Clock, Leaving, Oracle, Performer, Prompt, Repeatable, Vault

# Child runs wait for other runs: if they took places among the calls, parents could starve children.
UNLIMITED = frozenset({"workflow", "schedule"})

# Effects that go on by themselves, or can be looked at: the next engine finds out how they ended.
FOUND_AGAIN = frozenset({"workflow", "shell", "script", "container", "resource", "schedule"})

# What a store says when it is fenced, locked, full, broken, closed or out of reach.
STORE_FAILS: Final = frozenset(
    {"E5002", "E5009", "E5010", "E5011", "E5012", "E5017", "E5041", "E5046", "E5047", "E5048"}
)

_POLICIES: Final = {policy.value: policy for policy in OnDoubt}


@dataclass(slots=True, eq=False)
class Effects:
    """`performers` by function name; at most `limits.CALLS_AT_ONCE` of them act at the same time."""

    performers: Mapping[str, Performer]
    oracle: Oracle
    vault: Vault
    clock: Clock
    _prompts: dict[str, Prompt | None] = field(default_factory=dict)
    _repeatables: dict[str, Repeatable | None] = field(default_factory=dict)
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(limits.CALLS_AT_ONCE))

    def repeatable(self, command: Perform) -> bool:
        """Return whether an effect may be done any number of times, and on what is not durable yet.

        The author says so of the call, or the performer of its request; a policy for doubt does not.
        """
        if command.on_doubt is OnDoubt.REPEAT:
            return True
        function = command.function
        if function not in self._repeatables:
            performer = self.performers.get(function)
            self._repeatables[function] = performer if isinstance(performer, Repeatable) else None
        judge = self._repeatables[function]
        return judge is not None and judge.repeatable(command.request)

    def answer(self, run: Run, command: Perform, *, doubtful: bool) -> Sequence[Fact] | None:
        """Carry out an effect on the spot, if its performer can; else return None, and `perform` does it."""
        performer = self._prompt(command.function)
        if performer is None:
            return None
        order = _order(run, command, _policy(run, command.on_doubt), doubtful=doubtful)
        try:
            outcome = performer.answer(order)
        except Refusal as refusal:
            outcome = _refused(refusal)
        return None if outcome is None else self._facts(command, _by_policy(outcome, order.on_doubt))

    async def perform(self, run: Run, command: Perform, *, doubtful: bool) -> Sequence[Fact]:
        """Carry out an effect whose intent is durable, and return the facts of its end."""
        order = _order(run, command, _policy(run, command.on_doubt), doubtful=doubtful)
        performer = self.performers.get(command.function)
        if performer is None:
            words = f"this installation cannot perform `{command.function}`"
            outcome: Outcome = Broken(Fault(faults.CONFIGURATION, 400, "Configuration Error", words))
        else:
            outcome = await self._attempted(performer, order)
        return self._facts(command, _by_policy(outcome, order.on_doubt))

    async def _attempted(self, performer: Performer, order: Order) -> Outcome:
        try:
            if order.function in UNLIMITED or order.queue:  # A queue has a limit of its own.
                return await performer.perform(order)
            async with self._places:
                return await performer.perform(order)
        except Refusal as refusal:
            if _of_the_store(refusal):
                raise
            return _refused(refusal)

    def _prompt(self, function: str) -> Prompt | None:
        """Return the performer of a function if it may answer on the spot."""
        if function not in self._prompts:
            performer = self.performers.get(function)
            self._prompts[function] = performer if isinstance(performer, Prompt) else None
        return self._prompts[function]

    def _facts(self, command: Perform, outcome: Outcome) -> Sequence[Fact]:
        now, position, attempt = self.clock.now(), command.position, command.attempt
        match outcome:
            case Done(output, records):
                result = self.vault.redact(output)
                excess = unstorable(result)
                if excess is not None:
                    return (*records, Failed(now, position, attempt, _excessive("the result", excess)))
                return (*records, Succeeded(now, position, attempt, result))
            case Broken(fault, records):
                return (*records, Failed(now, position, attempt, self._redacted(fault)))
            case Doubt(reason, evidence, records):
                shown = self.vault.redact(dict(evidence))
                if not isinstance(shown, dict) or unstorable(reason, shown) is not None:
                    reason, shown = reason[:TEXT_CHARACTERS], {}
                return (*records, Held(now, position, attempt, str(self.vault.redact(reason)), shown))
            case _:
                assert_never(outcome)

    def _redacted(self, fault: Fault) -> Fault:
        title, detail = self.vault.redact(fault.title), self.vault.redact(fault.detail)
        return bounded(replace(fault, title=str(title), detail=str(detail)))

    async def compute(self, command: Compute) -> Sequence[Fact]:
        """Have the expression worker answer."""
        answers = await self.oracle.answer(command.questions)
        excess = unstorable(*(answer for answer in answers if not isinstance(answer, Fault)))
        if excess is not None:
            fault = Fault(faults.EXPRESSION, 400, "Expression Error", f"the value cannot be stored: {excess}")
            answers = tuple(fault for _ in answers)
        return (Computed(self.clock.now(), command.position, command.attempt, command.slot, answers),)

    async def abandon(self, run: Run, command: Abandon) -> Sequence[Fact]:
        """Stop an effect in the world, and return the fact that it is over."""
        performer = self.performers.get(command.function)
        records: Sequence[ResourceChanged] = ()
        if performer is not None:
            order = _order(run, command, OnDoubt.HOLD, doubtful=True)
            try:
                if isinstance(performer, Leaving):
                    records = await performer.leave(order)
                else:
                    await performer.abandon(order)
            except Refusal as refusal:
                # What cannot be stopped is left as it is: the run is over either way, and a refusal that
                # comes again at every restart would strand all runs of the store.
                if _of_the_store(refusal):
                    raise
        return (*records, Abandoned(self.clock.now(), command.position, command.attempt))


def _order(run: Run, command: Perform | Abandon, on_doubt: OnDoubt, *, doubtful: bool) -> Order:
    created, hosts = run.created, run.program.hosts
    probes: tuple[Value, ...] = ()
    if created is not None and created.metadata:
        hosts = (*hosts, *(str(host) for host in _declared(created, "hosts")))
        probes = tuple(_declared(created, "probes"))
    return Order(
        run=run.id,
        position=command.position,
        attempt=command.attempt,
        id=command.effect,
        function=command.function,
        request=command.request,
        on_doubt=on_doubt,
        doubtful=doubtful,
        depth=created.depth if created else 0,
        hosts=hosts,
        probes=probes,
        queue=command.ticket.queue if isinstance(command, Perform) and command.ticket else "",
        known=command.known if isinstance(command, Perform) else "",
    )


def _of_the_store(refusal: Refusal) -> bool:
    """Return whether the store as a whole fails: that is no fault of the run which met it first."""
    return refusal.problems[0].code in STORE_FAILS


def _refused(refusal: Refusal) -> Broken:
    """Return the fault of the task that the user must mend: a missing secret, a host that is not declared."""
    problem = refusal.problems[0]
    denied = problem.code.startswith("E6")
    kind, status = (faults.AUTHORIZATION, 403) if denied else (faults.CONFIGURATION, 400)
    return Broken(
        Fault(kind, status, "Refused", " ".join([f"{problem.code}: {problem.message}.", *problem.help]))
    )


def _excessive(what: str, excess: str) -> Fault:
    """Return the fault of an effect that happened, but gave what cannot be recorded."""
    return Fault(faults.RUNTIME, 500, "Limit Reached", f"{what} cannot be stored: {excess}")


def _policy(run: Run, on_doubt: OnDoubt) -> OnDoubt:
    """Return what is wanted of effects in doubt: `policy.doubt` of the stack, else to be asked."""
    wanted = run.created.metadata.get("doubt") if run.created else None
    if wanted is None or on_doubt is not OnDoubt.HOLD:
        return on_doubt
    return _POLICIES.get(str(wanted), on_doubt)


def _by_policy(outcome: Outcome, on_doubt: OnDoubt) -> Outcome:
    """Return what becomes of an answer that leaves it open whether the effect happened.

    Passing it on as an ordinary fault would let a `retry` of the document repeat it unasked.
    """
    if not isinstance(outcome, Broken) or not outcome.fault.doubtful or outcome.records:
        return outcome
    fault = outcome.fault
    match on_doubt:
        case OnDoubt.HOLD:
            return Doubt(fault.detail or fault.title, {"error": fault.as_value()})
        case OnDoubt.REPEAT:
            return outcome
        case OnDoubt.SKIP:
            return Done(None)
        case _:
            assert_never(on_doubt)


def _declared(created: Created, name: str) -> list[Value]:
    """Return what the stack declared under a name when the run was created."""
    declared = created.metadata.get(name)
    return declared if isinstance(declared, list) else []
