"""Commands as effects: `shell`, and what every effect that runs under a supervisor has in common.

An attempt has one spool folder, `<effect id>-<attempt>`. An order that comes again is looked up
there before anything starts: what runs is attached to, what has ended is read, what nobody can tell
is decided by the author's policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, assert_never

from dirigent.model import fault, limits
from dirigent.model.fault import Fault
from dirigent.model.program import OnDoubt
from dirigent.model.record import dataclass
from dirigent.model.run.effect import Broken, Done, Doubt, Order, Outcome
from dirigent.model.values import Value
from dirigent.ports import Vault
from dirigent.shim import attach, files
from dirigent.shim.attach import Exit, ShimLost, State
from dirigent.tasks.recipe import Recipe, Unfit, read_request, shell_program

# A supervisor that is killed again and again is not started for ever.
STARTS: Final = 3
TAIL_CHARACTERS: Final = 2000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where commands run: `spool` holds their folders, `folder` is their working directory.

    `environment` is all that they see besides what their own request gives. Of each stream `output_bytes`
    are kept.
    """

    spool: str
    folder: str
    environment: Mapping[str, str]
    grace_seconds: float = limits.PROCESS_GRACE_SECONDS
    output_bytes: int = limits.PROCESS_OUTPUT_BYTES

    def spool_of(self, order: Order) -> str:
        """Return the folder of one attempt."""
        return str(Path(self.spool, f"{order.id}-{order.attempt}"))


class ShellPerformer:
    """Carries out `shell`: a command line for `sh`, with arguments that are never parsed as one.

    Request: `command`, and optionally `arguments` (list, or map: each key, then its value), `environment`,
    `stdin`, `await` (default true), `return` (`stdout` by default, `stderr`, `code`, `all`, `none`).
    """

    def __init__(self, surroundings: Surroundings, vault: Vault) -> None:
        """Run below these surroundings; reveal secrets of environment and input at the last moment."""
        self._surroundings = surroundings
        self._vault = vault

    async def perform(self, order: Order) -> Outcome:
        """Run the command, or find the run of it that was begun before."""
        try:
            recipe = read_request(order.request, self._vault, shell_program)
        except Unfit as reason:
            return Broken(Fault(fault.CONFIGURATION, 400, "The command cannot be run", str(reason)))
        return await supervise(self._surroundings, self._vault, order, recipe)

    async def abandon(self, order: Order) -> None:
        """Stop the whole process group: TERM, then KILL after the grace."""
        await attach.stop(self._surroundings.spool_of(order), self._surroundings.grace_seconds)


async def supervise(around: Surroundings, vault: Vault, order: Order, recipe: Recipe) -> Outcome:
    """Start or find the command of this attempt, wait for it, and return what became of it."""
    spool = around.spool_of(order)
    if not order.doubtful and attach.state(spool) in (State.ENDED, State.LOST):
        attach.set_aside(spool)  # A person had it done again.
    for _ in range(STARTS):
        try:
            if attach.state(spool) in (State.ABSENT, State.ORDERED):
                await _start(around, spool, order, recipe)
            if not recipe.awaited:
                return Done(None)
            return _outcome(spool, await attach.wait(spool), recipe, _Reader(vault, around.output_bytes))
        except ShimLost as lost:
            if attach.state(spool) is State.ORDERED:
                return _broken("The supervisor could not be started", str(lost))
            decided = _decide(order, spool, str(lost), vault)
            if decided is not None:
                return decided
    return _broken("The command was lost too often", f"its supervisor was killed {STARTS} times")


async def _start(around: Surroundings, spool: str, order: Order, recipe: Recipe) -> None:
    argv = recipe.program
    if recipe.script is not None:
        path = str(Path(spool, recipe.script.name))
        files.make_folder(spool)
        files.write_durably(path, recipe.script.code.encode("utf-8", "surrogateescape"))
        argv = (*argv, path)
    command = attach.Command(
        id=order.id,
        argv=(*argv, *recipe.arguments),
        folder=around.folder,
        environment={**around.environment, **recipe.environment},
        stdin=recipe.stdin,
        output_bytes=around.output_bytes,
    )
    await attach.start(spool, command)


def _decide(order: Order, spool: str, reason: str, vault: Vault) -> Outcome | None:
    """Apply the author's policy to a command that nobody can tell the end of; None means: start afresh."""
    attach.clear_remains(order.id)
    match order.on_doubt:
        case OnDoubt.HOLD:
            evidence = vault.redact(dict(attach.evidence_of(spool)))
            attach.hold(spool, order.run)
            return Doubt(reason, evidence if isinstance(evidence, dict) else {})
        case OnDoubt.SKIP:
            return Done(None)
        case OnDoubt.REPEAT:
            attach.set_aside(spool)
            return None
        case _:
            assert_never(order.on_doubt)


def _outcome(spool: str, ended: Exit, recipe: Recipe, reader: _Reader) -> Outcome:
    if ended.error is not None:
        return _broken("The command could not be started", ended.error)
    stdout = reader.stream(spool, "stdout", truncated=ended.stdout_truncated)
    stderr = reader.stream(spool, "stderr", truncated=ended.stderr_truncated)
    if ended.stopped:
        return _broken("The command was stopped", stderr[-TAIL_CHARACTERS:])
    # A signal has the exit code that shells give it.
    code = ended.code if ended.code is not None else 128 + (ended.signal or 0)
    how = f"exit code {code}" if ended.signal is None else f"killed by signal {ended.signal}"
    return result_of(Ending(stdout, stderr, code, how), recipe.returned)


@dataclass(frozen=True, slots=True)
class Ending:
    """What a process wrote and how it ended: `code` as shells give it, `how` in words."""

    stdout: str
    stderr: str
    code: int
    how: str


def result_of(ending: Ending, returned: str) -> Outcome:
    """Return what `return` wants of a process; one that failed is a fault unless its code is wanted."""
    shown: dict[str, Value] = {
        "stdout": ending.stdout,
        "stderr": ending.stderr,
        "code": ending.code,
        "none": None,
        "all": {"stdout": ending.stdout, "stderr": ending.stderr, "code": ending.code},
    }
    if ending.code != 0 and returned not in {"all", "code"}:
        tail = ending.stderr.strip()[-TAIL_CHARACTERS:]
        return _broken("The command failed", f"{ending.how}: {tail}" if tail else ending.how)
    return Done(shown[returned])


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads what a command wrote, of which at most `limit` bytes were kept."""

    vault: Vault
    limit: int

    def stream(self, spool: str, name: str, *, truncated: bool) -> str:
        """Return what was written, without secrets; it says so where something is missing."""
        text = self.vault.redact(attach.output_of(spool, name))
        shown = text if isinstance(text, str) else ""
        return f"{shown}\n[truncated: the limit is {self.limit} bytes]\n" if truncated else shown


def _broken(title: str, detail: str) -> Broken:
    return Broken(Fault(fault.RUNTIME, 500, title, detail))
