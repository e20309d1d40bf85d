"""What is open at present: opened when it is first wanted, renewed in time, closed when nobody uses it.

Rule: nothing of it is ever written. Who comes after a crash has the name, and opens it anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import field
from typing import Final, Protocol

from dirigent.model import limits
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.ports.resources import ProviderFailed
from dirigent.providers.tofu.lifecycle.lasting import Opening
from dirigent.providers.tofu.provider.fleeting.naming import Way, way_of
from dirigent.providers.tofu.sealing import Seal

# It is renewed a tenth of its time early, and at most so much.
_EARLY_SECONDS: Final = 10.0
_EARLY_PART: Final = 0.1
# A provider that wants to be asked all the time is asked no more often than this.
_LEAST_SECONDS: Final = 1.0


class Lender(Protocol):
    """One conversation in which something is opened, renewed and closed."""

    @property
    def borrowed(self) -> Iterable[str]:
        """Return the tokens of what it hangs on itself."""
        ...

    async def begin(self) -> Opening:
        """Open it. Raises `Refusal`, `ProviderFailed`."""
        ...

    async def renew(self, opening: Opening) -> Opening:
        """Have it last longer. Raises `Refusal`, `ProviderFailed`."""
        ...

    async def end(self, opening: Opening) -> None:
        """Close it. Raises `Refusal`, `ProviderFailed`."""
        ...


Lend = Callable[[Way], Awaitable[Lender]]


@dataclass(slots=True)
class _Lease:
    token: str
    lender: Lender
    opening: Opening
    users: int = 0
    idle: asyncio.TimerHandle | None = None
    due: asyncio.TimerHandle | None = None
    below: list[_Lease] = field(default_factory=list)


@dataclass(slots=True)
class Leases:
    """All that is open in this process. `lends` says by provider who opens; `now` is the clock."""

    seal: Seal
    lends: dict[str, Lend] = field(default_factory=dict)
    now: Callable[[], float] = time.time
    _open: dict[str, _Lease] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def borrow(self, token: str) -> dict[str, Value]:
        """Return what was opened, or open it. Raises `Refusal`, `ProviderFailed`."""
        async with self._locks.setdefault(token, asyncio.Lock()):
            lease = self._open.get(token)
            if lease is not None and self._is_due(lease):
                lease = await self._renewed(lease)
            if lease is None:
                lease = await self._opened(token)
            self._rest(lease)
            return lease.opening.result

    @asynccontextmanager
    async def held(self, tokens: Iterable[str]) -> AsyncIterator[None]:
        """Keep open what was borrowed."""
        leases = [lease for token in tokens if (lease := self._open.get(token)) is not None]
        for lease in leases:
            self._hold(lease)
        try:
            yield
        finally:
            for lease in leases:
                self._let_go(lease)

    async def close(self) -> None:
        """Close all that is open: first what was opened last, for it may hang on what was there before."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        for lease in reversed(list(self._open.values())):
            await self._closed(lease)

    async def _opened(self, token: str) -> _Lease:
        way = way_of(token, self.seal)
        if way.provider not in self.lends:
            raise refuse(
                "E2029",
                f"`{way.type}` is opened by the provider `{way.provider}`, which the stack does not declare",
                f"declare `{way.provider}` under `providers`",
            )
        lender = await self.lends[way.provider](way)
        lease = _Lease(token, lender, await lender.begin())
        # It stands on what its provider was configured with: that stays open as long.
        lease.below = [below for each in lender.borrowed if (below := self._open.get(each)) is not None]
        for below in lease.below:
            self._hold(below)
        self._open[token] = lease
        self._plan_renewal(lease)
        return lease

    def _hold(self, lease: _Lease) -> None:
        lease.users += 1
        if lease.idle is not None:
            lease.idle.cancel()

    def _let_go(self, lease: _Lease) -> None:
        lease.users -= 1
        self._rest(lease)

    def _rest(self, lease: _Lease) -> None:
        """Close what nobody uses after a while."""
        if lease.idle is not None:
            lease.idle.cancel()
        if not lease.users and self._open.get(lease.token) is lease:
            loop = asyncio.get_running_loop()
            lease.idle = loop.call_later(limits.OPENED_IDLE_SECONDS, self._begin, self._slept, lease)

    def _is_due(self, lease: _Lease) -> bool:
        return 0.0 < lease.opening.renew_at <= self.now()

    def _plan_renewal(self, lease: _Lease) -> None:
        if not lease.opening.renew_at:
            return
        left = lease.opening.renew_at - self.now()
        wait = max(left - min(_EARLY_SECONDS, left * _EARLY_PART), _LEAST_SECONDS)
        lease.due = asyncio.get_running_loop().call_later(wait, self._begin, self._fell_due, lease)

    def _begin(self, act: Callable[[_Lease], Coroutine[object, object, None]], lease: _Lease) -> None:
        task = asyncio.ensure_future(act(lease))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fell_due(self, lease: _Lease) -> None:
        async with self._locks[lease.token]:
            if self._open.get(lease.token) is lease:
                await self._renewed(lease)

    async def _slept(self, lease: _Lease) -> None:
        async with self._locks[lease.token]:
            if self._open.get(lease.token) is lease and not lease.users:
                await self._closed(lease)

    async def _renewed(self, lease: _Lease) -> _Lease | None:
        """Renew a lease; None where its provider would not, and it is to be opened anew."""
        if lease.due is not None:
            lease.due.cancel()
        try:
            lease.opening = await lease.lender.renew(lease.opening)
        except (Refusal, ProviderFailed):
            await self._closed(lease)
            return None
        self._plan_renewal(lease)
        return lease

    async def _closed(self, lease: _Lease) -> None:
        """Close a lease. What its provider says then changes nothing: it is not used any more."""
        del self._open[lease.token]
        for timer in (lease.idle, lease.due):
            if timer is not None:
                timer.cancel()
        with suppress(Refusal, ProviderFailed):
            await lease.lender.end(lease.opening)
        for below in lease.below:
            self._let_go(below)
