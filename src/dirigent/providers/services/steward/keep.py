"""The steward of one service: brings it to what is desired, keeps it there, and reports.

Rule 1: what runs well is not touched before its successor is well.
Rule 2: a wish is settled once, with or without an error; a newer wish ends the work on an older one.
Rule 3: one steward per folder, by a lock that dies with it; replicas die with it too.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

from dirigent.providers.services.definition import Definition
from dirigent.providers.services.folder import MARK, ServiceFolder, Wish
from dirigent.providers.services.folder import Status as Report
from dirigent.providers.services.logs import LogWriter
from dirigent.providers.services.steward import ports
from dirigent.providers.services.steward.balancer import Balancer
from dirigent.providers.services.steward.fleet import Fleet, first_complaint
from dirigent.providers.services.steward.replica import Condition, Replica
from dirigent.shim import child, pulse, watch

# A wish whose signal was lost is found all the same.
LOOK_SECONDS: Final = 1.0


class Failed(Exception):
    """A wish cannot be fulfilled; the message says why."""


class Steward:
    """Keeps the service of one folder."""

    def __init__(self, folder: ServiceFolder, lock: int) -> None:
        """Take up what a former steward of this folder left; `lock` is our descriptor of its lock."""
        self._folder = folder
        self._lock = lock
        self._log = LogWriter(folder.log)
        self._balancer = Balancer()
        self._current = folder.current()
        former = folder.status()
        self._settled = former.settled if former else 0
        self._error = former.error if former else None
        number = max((_number(each) for each in former.replicas), default=0) if former else 0
        self._fleet = Fleet(str(folder.path), self._balancer, self._log, number, self._changed)
        self._mark = pulse.mark_of(os.getpid())
        self._woken = asyncio.Event()
        self._told_to_end = False
        self._report_due = False

    async def run(self, ready: int) -> None:
        """Keep the service until it is wished away, or until we are told to end."""

        def end() -> None:
            self._told_to_end = True
            self._woken.set()

        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._woken.set)
        loop.add_signal_handler(signal.SIGTERM, end)
        self._report()
        os.close(ready)
        await self._take_up()
        while not self._told_to_end and self._belongs():
            self._woken.clear()
            wish = self._folder.desired()
            if wish is not None and wish.generation > self._settled:
                await self._settle(wish)
                if wish.definition is None and wish.generation == self._settled:
                    return
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._woken.wait()
                await self._stand()
        self._balancer.move(None)
        await self._fleet.end_all()
        self._report()

    def _belongs(self) -> bool:
        """Return whether the folder is still ours: a deleted or moved one would have us live for ever."""
        try:
            return os.path.samestat(os.fstat(self._lock), (self._folder.path / "lock").stat())
        except OSError:
            return False

    async def _take_up(self) -> None:
        """Go on with what ran under a steward that was killed."""
        watch.kill_bearing(MARK, str(self._folder.path))
        if self._current is None or self._current.definition is None:
            return
        self._log.hide(self._current.secrets)
        await self._stand()
        definition = self._current.definition
        self._fleet.switch(self._fleet.begin(definition, definition.replicas, on_trial=False))

    async def _stand(self) -> None:
        """Take our address again, if we have one and another program had taken it."""
        definition = self._current.definition if self._current else None
        if definition is None or self._balancer.port is not None:
            return
        try:
            self._balancer.move(await self._listen(definition))
        except Failed as reason:
            self._say(str(reason))

    async def _settle(self, wish: Wish) -> None:
        """Bring the service to a wish, or stop trying as soon as there is a newer one."""
        if wish.definition is None:
            self._balancer.move(None)
            await self._fleet.end_all()
            self._settle_with(wish, None)
            return
        fresh: list[Replica] = []
        work = asyncio.get_running_loop().create_task(self._fulfil(wish, wish.definition, fresh))
        await self._until_outdated(wish, work)
        reason = None if work.cancelled() else work.exception()
        if work.cancelled() or reason is not None:
            await asyncio.gather(*(each.end() for each in fresh))
            self._balancer.move(self._balancer.port)
        if isinstance(reason, Failed | OSError):
            self._say(f"generation {wish.generation} failed: {reason}")
            self._settle_with(wish, str(reason))
        elif reason is not None:
            raise reason
        elif not work.cancelled():
            self._settle_with(wish, None)

    def _settle_with(self, wish: Wish, error: str | None) -> None:
        self._settled, self._error = wish.generation, error
        self._report()

    async def _until_outdated(self, wish: Wish, work: asyncio.Task[None]) -> None:
        """Return when the work is done, or has been broken off because nobody wants it any more."""
        while not work.done():
            waking = asyncio.get_running_loop().create_task(self._woken.wait())
            await asyncio.wait((work, waking), return_when=asyncio.FIRST_COMPLETED)
            waking.cancel()
            self._woken.clear()
            newer = self._folder.desired()
            if self._told_to_end or (newer is not None and newer.generation > wish.generation):
                work.cancel()
                await asyncio.wait((work,))

    async def _fulfil(self, wish: Wish, definition: Definition, fresh: list[Replica]) -> None:
        """Start what is missing, wait until all is well, then let it serve. `fresh` gets what was started."""
        former = self._current.definition if self._current else None
        self._log.hide({**(self._current.secrets if self._current else {}), **wish.secrets})
        port = await self._listen(definition)
        same = former is not None and former.process_key() == definition.process_key()
        stay = [each for each in self._fleet.serving if same and each.condition is not Condition.GIVEN_UP]
        stay = stay[: definition.replicas]
        fresh += self._fleet.begin(definition, definition.replicas - len(stay), on_trial=True)
        complaint = await first_complaint([*stay, *fresh])
        if complaint is not None:
            raise Failed(complaint)
        self._switch(wish, definition, [*stay, *fresh], port)

    def _switch(self, wish: Wish, definition: Definition, replicas: list[Replica], port: int) -> None:
        for each in replicas:
            each.definition = definition
        self._current = wish
        self._log.hide(wish.secrets)
        self._folder.keep_address(port)
        self._folder.keep_current(wish)
        self._balancer.move(port)
        self._fleet.switch(replicas)

    async def _listen(self, definition: Definition) -> int:
        """Listen on the port of a definition as well, and return it."""
        port = definition.port or self._balancer.port or self._folder.address()
        try:
            if port is None:
                port = ports.choose(ports.STABLE, str(self._folder.path))
            await self._balancer.listen(port)
        except ports.NoPort as reason:
            raise Failed(str(reason)) from reason
        except OSError as reason:
            raise Failed(f"port {port} on {ports.LOOPBACK} cannot be used: {reason.strerror}") from reason
        return port

    def _changed(self) -> None:
        """Report once for all changes of this turn of the loop."""
        if not self._report_due:
            self._report_due = True
            asyncio.get_running_loop().call_soon(self._report)

    def _report(self) -> None:
        self._report_due = False
        if not self._belongs():
            return  # Another steward may report in a new folder of that name.
        # On a full disk the last report stands until the next one.
        with suppress(OSError):
            self._write_report()

    def _write_report(self) -> None:
        self._folder.report(
            Report(
                mark=self._mark,
                port=self._balancer.port,
                settled=self._settled,
                error=self._error,
                running=self._current.generation if self._current else 0,
                replicas=tuple(each.record() for each in self._fleet.serving),
            )
        )

    def _say(self, text: str) -> None:
        self._log.write(None, "steward", text)


def main(arguments: list[str], ready: int) -> None:
    """Keep the service of the folder given; return at once when another steward does."""
    path = Path(arguments[0])
    descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    child.open_many_files()
    asyncio.run(_keep(path, descriptor, ready))


async def _keep(path: Path, lock: int, ready: int) -> None:
    await Steward(ServiceFolder(path), lock).run(ready)


def _number(replica: dict[str, object]) -> int:
    number = replica.get("number")
    return number if isinstance(number, int) else 0
