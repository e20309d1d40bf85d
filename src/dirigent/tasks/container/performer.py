"""The performer of `container`: an attempt is a container that bears its name on a label.

Rule 1: what the spool says comes before what the runtime says: an outcome that is kept there is the outcome.
Rule 2: a container is started after its start was noted, and removed after its outcome was kept.
Rule 3: what nobody can tell (a container that is gone, input that may be cut off) is the author's policy.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, assert_never

from dirigent.model import fault
from dirigent.model.fault import Fault
from dirigent.model.program import OnDoubt
from dirigent.model.run.effect import Broken, Done, Doubt, Order, Outcome
from dirigent.model.values import Value
from dirigent.ports import Vault
from dirigent.shim import attach, files
from dirigent.tasks.container.janitor import Janitor
from dirigent.tasks.container.recipe import (
    ATTEMPT,
    EFFECT,
    OUTCOME,
    RUN,
    SPOOL,
    Wanted,
    reference_of,
    wanted_of,
)
from dirigent.tasks.container.registry import Registries
from dirigent.tasks.container.runtime import CONFLICT, NOT_FOUND, Log, Refused, Runtime, Seen, Unreachable
from dirigent.tasks.process import Ending, Surroundings, result_of
from dirigent.tasks.recipe import Unfit

# The notes of an attempt in its spool folder.
STARTED: Final = "started.json"
FED: Final = "fed.json"
# A runtime that is restarted comes back within this; its containers may well have gone on.
AWAY_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.5


class _Undecided(Exception):
    """Nobody can say what became of the container; the message says why."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    """An order with all that belongs to it."""

    order: Order
    wanted: Wanted
    spool: str

    @property
    def name(self) -> str:
        """Return the name of the container: the given one, or that of the effect."""
        return self.wanted.name or f"dirigent-{self.order.id}-{self.order.attempt}"

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels by which the container is known to be of this attempt."""
        order = self.order
        notes = str(Path(self.spool).parent)
        return {EFFECT: order.id, ATTEMPT: str(order.attempt), RUN: order.run, SPOOL: notes}

    def owns(self, seen: Seen) -> bool:
        """Return whether a container is that of this attempt."""
        return self.labels.items() <= seen.labels.items()

    def noted(self, note: str) -> bool:
        """Return whether a note lies in the spool."""
        return Path(self.spool, note).exists()

    async def note(self, note: str, content: dict[str, object] | None = None) -> None:
        """Put a note into the spool; durable on return."""

        def write() -> None:
            files.make_folder(self.spool)
            files.write_durably(str(Path(self.spool, note)), json.dumps(content or {}).encode())

        await asyncio.to_thread(write)


class ContainerPerformer:
    """Carries out `container`. The request is described in `docs/calls.md`."""

    def __init__(self, surroundings: Surroundings, registries: Registries, socket: Callable[[], str]) -> None:
        """Keep notes below these surroundings; `socket` finds the runtime and may raise `Refusal`."""
        self._surroundings = surroundings
        self._registries = registries
        self._vault: Vault = registries.vault
        self._socket = socket
        self._found: Runtime | None = None
        self._janitor = Janitor()

    async def perform(self, order: Order) -> Outcome:
        """Run the container, or find the one that was begun before."""
        try:
            wanted = wanted_of(order.request, self._vault, self._surroundings.folder)
        except Unfit as reason:
            return _broken("The container cannot be run", str(reason), kind=fault.CONFIGURATION, status=400)
        attempt = _Attempt(order, wanted, self._surroundings.spool_of(order))
        if not order.doubtful and attempt.noted(STARTED):
            await self._set_aside(attempt)  # A person had it done again.
        kept = files.read_record(str(Path(attempt.spool, OUTCOME)))
        if kept is not None:
            return _kept(kept)
        try:
            return await self._carried_out(attempt)
        except _Undecided as reason:
            return await self._decided(attempt, str(reason))
        except Refused as refused:
            words = str(self._vault.redact(str(refused)))
            return _broken("The container could not be run", words, status=500)
        except Unreachable as reason:
            began = attempt.noted(STARTED)
            words = f"the container runtime does not answer: {reason}"
            return _broken("The container runtime is away", words, status=500, doubtful=began)

    async def abandon(self, order: Order) -> None:
        """Stop the container: TERM, then KILL after the grace; remove it if it was not to stay."""
        with suppress(Unfit, Refused, Unreachable):
            wanted = wanted_of(order.request, self._vault, self._surroundings.folder)
            attempt = _Attempt(order, wanted, self._surroundings.spool_of(order))
            runtime = self._runtime()
            seen = await runtime.inspect(attempt.name)
            if seen is None or not attempt.owns(seen):
                return
            if seen.status == "created":
                await runtime.remove(seen.id)
                return
            await runtime.stop(seen.id, self._surroundings.grace_seconds)
            await self._cleared(attempt, seen.id)

    def _runtime(self) -> Runtime:
        if self._found is None:
            self._found = Runtime(self._socket())
        return self._found

    async def _carried_out(self, attempt: _Attempt) -> Outcome:
        runtime = self._runtime()
        await self._janitor.look(runtime, self._surroundings.spool)
        seen = await self._standing(attempt)
        container = seen.id if seen is not None else await self._created(attempt)
        if seen is None or seen.status == "created":
            await attempt.note(STARTED)
            return await self._begun(attempt, container)
        if attempt.wanted.stdin is not None and not attempt.noted(FED):
            raise _Undecided("the engine stopped while the container was given its standard input")
        return await self._awaited(attempt, container)

    async def _standing(self, attempt: _Attempt) -> Seen | None:
        """Return the container of this attempt if there is one. Its name may be taken by another."""
        seen = await self._runtime().inspect(attempt.name)
        if seen is None:
            if attempt.noted(STARTED):
                raise _Undecided("the container was started, and is not there any more")
            return None
        if attempt.owns(seen):
            return seen
        earlier = seen.labels.get(EFFECT) == attempt.order.id
        if earlier and seen.status in {"exited", "dead", "created"}:
            await self._runtime().remove(seen.id)  # A retry needs the name that its author gave.
            return None
        raise Refused(
            CONFLICT, f"a container named `{attempt.name}` is there already, and is not of this task"
        )

    async def _created(self, attempt: _Attempt) -> str:
        """Create the container; its image is fetched if and when the policy says."""
        runtime, wanted = self._runtime(), attempt.wanted
        name, tag = reference_of(wanted.image)
        if wanted.pull == "always":
            await runtime.pull(name, tag, await self._registries.header(name))
        try:
            return await runtime.create(attempt.name, wanted.creation(attempt.labels))
        except Refused as refused:
            if refused.status != NOT_FOUND or wanted.pull != "ifNotPresent":
                raise
        await runtime.pull(name, tag, await self._registries.header(name))
        return await runtime.create(attempt.name, wanted.creation(attempt.labels))

    async def _begun(self, attempt: _Attempt, container: str) -> Outcome:
        """Start a container, give it its input, and wait for it."""
        runtime, text = self._runtime(), attempt.wanted.stdin
        if text is None:
            await runtime.start(container)
            return await self._awaited(attempt, container)
        async with runtime.fed(container) as writer:
            await runtime.start(container)
            feeding = asyncio.create_task(_feed(writer, text.encode(), attempt))
            try:
                if not attempt.wanted.awaited:
                    await feeding
                return await self._awaited(attempt, container)
            finally:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)

    async def _awaited(self, attempt: _Attempt, container: str) -> Outcome:
        if not attempt.wanted.awaited:
            self._cleared_later(attempt, container)
            return Done(None)
        seen = await self._ended(container)
        log = await self._runtime().log(container, self._surroundings.output_bytes)
        outcome = self._outcome(attempt, seen, log)
        await attempt.note(OUTCOME, _noted(outcome))
        await self._cleared(attempt, container)
        return outcome

    async def _ended(self, container: str) -> Seen:
        """Return the container once it has ended. A runtime that goes away is waited for a while."""
        runtime = self._runtime()
        loop = asyncio.get_running_loop()
        away = loop.time() + AWAY_SECONDS
        while True:
            try:
                await runtime.wait(container)
                seen = await runtime.inspect(container)
                if seen is None:
                    raise _Undecided("the container was removed before it was asked how it ended")
                if seen.over:
                    return seen
                away = loop.time() + AWAY_SECONDS
            except Unreachable:
                if loop.time() > away:
                    raise
            except Refused as refused:
                if refused.status != NOT_FOUND:
                    raise
                raise _Undecided("the container was removed while it was waited for") from None
            await asyncio.sleep(LOOK_SECONDS)

    def _outcome(self, attempt: _Attempt, seen: Seen, log: Log) -> Outcome:
        limit = log.limit
        texts = []
        for content, truncated in ((log.stdout, log.stdout_truncated), (log.stderr, log.stderr_truncated)):
            text = str(self._vault.redact(content.decode("utf-8", "replace")))
            texts.append(f"{text}\n[truncated: the limit is {limit} bytes]\n" if truncated else text)
        how = f"exit code {seen.code}" + (" (it ran out of memory)" if seen.starved else "")
        return result_of(Ending(texts[0], texts[1], seen.code, how), attempt.wanted.returned)

    async def _cleared(self, attempt: _Attempt, container: str) -> None:
        """Remove a container that ended now, or note when it is to be removed."""
        if attempt.wanted.after_seconds == 0:
            with suppress(Unreachable):  # It stays, then; its outcome is safe.
                await self._runtime().remove(container)
        else:
            self._cleared_later(attempt, container)

    def _cleared_later(self, attempt: _Attempt, container: str) -> None:
        if attempt.wanted.after_seconds:
            self._janitor.remove_after(self._runtime(), container, attempt.wanted.after_seconds)

    async def _decided(self, attempt: _Attempt, reason: str) -> Outcome:
        """Apply the author's policy to a container of which nobody can tell what became."""
        match attempt.order.on_doubt:
            case OnDoubt.HOLD:
                files.make_folder(attempt.spool)
                attach.hold(attempt.spool, attempt.order.run)
                return Doubt(reason, {"container": attempt.name, "image": attempt.wanted.image})
            case OnDoubt.SKIP:
                return Done(None)
            case OnDoubt.REPEAT:
                await self._set_aside(attempt)
                return await self._carried_out(attempt)
            case _:
                assert_never(attempt.order.on_doubt)

    async def _set_aside(self, attempt: _Attempt) -> None:
        """Give way to a fresh start: remove the container of this attempt, and put its notes aside."""
        with suppress(Refused, Unreachable):
            seen = await self._runtime().inspect(attempt.name)
            if seen is not None and attempt.owns(seen):
                await self._runtime().remove(seen.id)
        if attempt.noted(STARTED):
            await asyncio.to_thread(attach.set_aside, attempt.spool)


async def _feed(writer: asyncio.StreamWriter, content: bytes, attempt: _Attempt) -> None:
    """Write the standard input whole, and note that it was; a container that ends before needs no more."""
    with suppress(ConnectionError):
        writer.write(content)
        await writer.drain()
        writer.write_eof()
        await attempt.note(FED)


def _noted(outcome: Outcome) -> dict[str, object]:
    if isinstance(outcome, Done):
        return {"output": outcome.output}
    found = outcome.fault if isinstance(outcome, Broken) else Fault(fault.RUNTIME, 500)
    return {"title": found.title, "detail": found.detail}


def _kept(note: dict[str, object]) -> Outcome:
    """Return the outcome that a note holds."""
    if "title" in note:
        return _broken(str(note["title"]), str(note["detail"]), status=500)
    output: Value = json.loads(json.dumps(note.get("output")))
    return Done(output)


def _broken(
    title: str, detail: str, *, status: int, kind: str = fault.RUNTIME, doubtful: bool = False
) -> Broken:
    return Broken(Fault(kind, status, title, detail, doubtful=doubtful))
