"""One effect from its order to its facts: the edge where the world's answers become data.

This is the only place that turns what a performer says into facts, and the only sink through which
results reach the journal: every one is redacted here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from dirigent.core.machine import Run
from dirigent.model import fault as faults
from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.problem import Refusal
from dirigent.model.program import OnDoubt
from dirigent.model.run.command import Abandon, Compute, Perform
from dirigent.model.run.effect import Broken, Done, Doubt, Order, Outcome
from dirigent.model.run.journal import Abandoned, Computed, Fact, Failed, Held, Succeeded
from dirigent.model.values import Value
from dirigent.ports import Clock, Oracle, Performer, Vault

# Child runs wait for other runs: if they took places among the calls, parents could starve children.
UNLIMITED = frozenset({"workflow"})


@dataclass(slots=True, eq=False)
class Effects:
    """`performers` by function name; at most `limits.CALLS_AT_ONCE` of them act at the same time."""

    performers: Mapping[str, Performer]
    oracle: Oracle
    vault: Vault
    clock: Clock
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(limits.CALLS_AT_ONCE))

    async def perform(self, run: Run, command: Perform, *, doubtful: bool) -> Sequence[Fact]:
        """Carry out an effect whose intent is durable, and return the facts of its end."""
        order = _order(run, command, command.on_doubt, doubtful=doubtful)
        performer = self.performers.get(command.function)
        if performer is None:
            words = f"this installation cannot perform `{command.function}`"
            outcome: Outcome = Broken(Fault(faults.CONFIGURATION, 400, "Configuration Error", words))
        else:
            outcome = await self._attempted(performer, order)
        return self._facts(command, outcome)

    async def _attempted(self, performer: Performer, order: Order) -> Outcome:
        try:
            if order.function in UNLIMITED:
                return await performer.perform(order)
            async with self._places:
                return await performer.perform(order)
        except Refusal as refusal:
            # What the user must mend (a missing secret, a host that is not declared) is a fault of the task.
            problem = refusal.problems[0]
            denied = problem.code.startswith("E6")
            kind, status = (faults.AUTHORIZATION, 403) if denied else (faults.CONFIGURATION, 400)
            words = " ".join([f"{problem.code}: {problem.message}.", *problem.help])
            return Broken(Fault(kind, status, "Refused", words))

    def _facts(self, command: Perform, outcome: Outcome) -> Sequence[Fact]:
        now, position, attempt = self.clock.now(), command.position, command.attempt
        match outcome:
            case Done(output, records):
                return (*records, Succeeded(now, position, attempt, self.vault.redact(output)))
            case Broken(fault, records):
                return (*records, Failed(now, position, attempt, self._redacted(fault)))
            case Doubt(reason, evidence):
                shown = self.vault.redact(dict(evidence))
                return (Held(now, position, attempt, reason, shown if isinstance(shown, dict) else {}),)
            case _:
                assert_never(outcome)

    def _redacted(self, fault: Fault) -> Fault:
        title, detail = self.vault.redact(fault.title), self.vault.redact(fault.detail)
        return replace(fault, title=str(title), detail=str(detail))

    async def compute(self, command: Compute) -> Sequence[Fact]:
        """Have the expression worker answer."""
        answers = await self.oracle.answer(command.questions)
        return (Computed(self.clock.now(), command.position, command.attempt, command.slot, answers),)

    async def abandon(self, run: Run, command: Abandon) -> Sequence[Fact]:
        """Stop an effect in the world, and return the fact that it is over."""
        performer = self.performers.get(command.function)
        if performer is not None:
            await performer.abandon(_order(run, command, OnDoubt.HOLD, doubtful=True))
        return (Abandoned(self.clock.now(), command.position, command.attempt),)


def _order(run: Run, command: Perform | Abandon, on_doubt: OnDoubt, *, doubtful: bool) -> Order:
    created = run.created
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
        hosts=(*run.program.hosts, *_hosts(created.metadata if created else {})),
    )


def _hosts(metadata: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the hosts that the stack declared for this run when it was created."""
    declared = metadata.get("hosts")
    return tuple(str(host) for host in declared) if isinstance(declared, list) else ()
