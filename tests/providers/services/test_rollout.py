import asyncio
import http.client
import os
import signal
import threading

import pytest

from dirigent.ports.resources import ProviderFailed, Reading
from dirigent.shim import pulse


def standing(attributes):
    return Reading(attributes, {}, (f"port {attributes['port']} of 127.0.0.1",))


pytestmark = pytest.mark.slow


class Load:
    """Steady requests, each on a connection of its own, while the service is changed."""

    def __init__(self, port, path="/", threads=4):
        self.port, self.path = port, path
        self.versions, self.failures = [], []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self):
        while not self._over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                connection.request("GET", self.path, headers={"Connection": "close"})
                self.versions.append(connection.getresponse().read().decode().split()[0])
            except OSError as reason:
                self.failures.append(reason)
            except http.client.HTTPException as reason:
                self.failures.append(reason)
            finally:
                connection.close()


@pytest.mark.parametrize("path", ["/", "/slow"])
def test_a_rolling_replacement_under_load_drops_nothing(desk, wait_until, path):
    async def main():
        environment = {"SLOW": "0.1"}
        attributes = await desk.apply(desk.config("1", replicas=2, environment=environment))
        former = desk.pids()
        with Load(attributes["port"], path) as load:
            await wait_until(lambda: len(load.versions) > 8)
            after = await desk.apply(desk.config("2", replicas=2, environment=environment))
            await wait_until(lambda: not any(pulse.start_ticks(pid) for pid in former))
            await wait_until(lambda: load.versions[-4:] == ["2"] * 4)
        assert after == attributes
        assert load.failures == []
        assert set(load.versions) == {"1", "2"}
        await desk.delete()

    asyncio.run(main())


def test_scaling_under_load_drops_nothing(desk, wait_until):
    async def main():
        attributes = await desk.apply(desk.config(replicas=3))
        with Load(attributes["port"]) as load:
            for replicas in (1, 4, 2):
                seen = len(load.versions)
                await desk.apply(desk.config(replicas=replicas))
                await wait_until(lambda seen=seen: len(load.versions) > seen + 20)
        assert load.failures == []
        await desk.delete()

    asyncio.run(main())


def test_a_version_that_does_not_become_well_leaves_the_former_one_serving(desk, fetch):
    async def main():
        attributes = await desk.apply(desk.config("1", replicas=2))
        former, row = desk.pids(), desk.row
        with Load(attributes["port"]) as load, pytest.raises(ProviderFailed) as failure:
            await desk.apply(desk.config("2", replicas=2, environment={"BROKEN": "1"}))
        assert load.failures == []
        assert set(load.versions) == {"1"}
        assert failure.value.attributes == attributes
        assert "cannot find the ledger" in str(failure.value)
        assert "what ran before runs on" in str(failure.value)
        assert desk.pids() == former
        assert await desk.provider.read(row) == standing(attributes)
        # The next good one succeeds, and a steward that starts anew does not try the bad one again.
        os.kill(desk.status().mark["pid"], signal.SIGKILL)
        await desk.apply(desk.config("1", replicas=2))
        assert await fetch(attributes["url"]) == "1"
        await desk.delete()

    asyncio.run(main())


def test_a_move_to_another_port_opens_it_first(desk, fetch):
    async def main():
        attributes = await desk.apply(desk.config("1"))
        former = desk.pids()
        moved = await desk.apply(desk.config("1", port=attributes["port"] + 6000))
        assert moved["port"] == attributes["port"] + 6000
        assert desk.pids() == former
        assert await fetch(moved["url"]) == "1"
        with pytest.raises(OSError):
            await fetch(attributes["url"])
        back = await desk.apply(desk.config("1"))
        assert back == moved
        await desk.delete()

    asyncio.run(main())


def test_a_failed_version_on_another_port_gives_the_port_back(desk, fetch):
    async def main():
        attributes = await desk.apply(desk.config("1"))
        port = attributes["port"] + 6000
        with pytest.raises(ProviderFailed):
            await desk.apply(desk.config("2", port=port, environment={"BROKEN": "1"}))
        assert await fetch(attributes["url"]) == "1"
        with pytest.raises(OSError):
            await fetch(f"http://127.0.0.1:{port}")
        await desk.delete()

    asyncio.run(main())


def test_a_kept_connection_is_served_on_until_it_falls_quiet(desk, wait_until):
    async def main():
        attributes = await desk.apply(desk.config("1", stop={"grace": 600}))
        (former,) = desk.pids()
        kept = http.client.HTTPConnection("127.0.0.1", attributes["port"], timeout=60)
        assert await asyncio.to_thread(ask, kept) == "1"
        await desk.apply(desk.config("2", stop={"grace": 600}))
        assert await asyncio.to_thread(ask, kept) == "1"
        # Long before its grace is over.
        await wait_until(lambda: pulse.start_ticks(former) is None)
        kept.close()
        await desk.delete()

    asyncio.run(main())


def ask(connection):
    connection.request("GET", "/")
    return connection.getresponse().read().decode().split()[0]


def test_an_abandoned_change_goes_back_to_what_ran(desk, wait_until, fetch):
    async def main():
        attributes = await desk.apply(desk.config("1"))
        row, former = desk.row, desk.pids()
        slow = desk.config("2", command=["sleep", "60"])
        operation = desk.operation("update", slow)
        changing = asyncio.create_task(desk.provider.apply(operation))
        await wait_until(lambda: desk.at().desired().generation == 2)
        changing.cancel()
        await asyncio.gather(changing, return_exceptions=True)
        await desk.provider.abandon(operation)
        assert await desk.provider.read(row) == standing(attributes)
        assert desk.pids() == former
        await desk.provider.abandon(operation)
        assert desk.pids() == former
        await desk.delete()

    asyncio.run(main())


def test_an_abandoned_creation_leaves_nothing(desk, wait_until):
    async def main():
        operation = desk.operation("create", desk.config(command=["sleep", "60"]))
        creating = asyncio.create_task(desk.provider.apply(operation))
        await wait_until(desk.status)
        creating.cancel()
        await asyncio.gather(creating, return_exceptions=True)
        await desk.provider.abandon(operation)
        assert desk.status() is None

    asyncio.run(main())
