"""The database dies, restarts, or fails over in the middle of work: nothing acknowledged is lost."""

import asyncio
import signal

import pytest

from databases.cluster import Server, absent
from databases.rig import EngineProcess, check, working
from stores.samples import in_loop
from storms.required import needs

pytestmark = pytest.mark.slow


@pytest.fixture
def own_server():
    """A server that may be killed."""
    needs("postgresql", absent() or None)
    server = Server.made()
    server.start()
    yield server
    server.remove()


@pytest.mark.parametrize(
    "how", [signal.SIGKILL, signal.SIGQUIT, signal.SIGINT], ids=["killed", "at-once", "in-order"]
)
@in_loop
async def test_a_server_that_restarts_in_the_middle_of_work(own_server, tmp_path, how):
    url = own_server.fresh()
    engine = EngineProcess(url, tmp_path).start()
    try:
        async with working(url, tmp_path) as (watch, load, ledger):
            await watch.share(engine)
            load.begin()
            await load.go(10)
            own_server.stop(how)
            await asyncio.to_thread(own_server.start)
            await watch.again(url)
            await load.go(20)
            await load.finish()
            await check(load, watch, ledger)
        assert "ended" in engine.end()
    finally:
        engine.clear()


@pytest.fixture
def pair():
    """A server with a standby that has every commit before it is acknowledged."""
    needs("postgresql", absent() or None)
    first = Server.made()
    first.start(synchronous_standby_names="*", wal_level="replica")
    second = first.standby()
    second.start()
    yield first, second
    second.remove()
    first.remove()


@pytest.mark.parametrize("turn", [1, 2])
@in_loop
async def test_a_failover_to_a_synchronous_standby_loses_nothing(pair, tmp_path, turn):
    first, second = pair
    name = first.fresh().rsplit("/", 1)[-1]
    url = f"postgresql://dirigent@127.0.0.1:{first.port},127.0.0.1:{second.port}/{name}"
    both = [EngineProcess(url, tmp_path).start() for _ in range(2)]
    try:
        async with working(url, tmp_path) as (watch, load, ledger):
            await watch.share(*both)
            load.begin()
            await load.go(5 * turn)
            acknowledged = list(load.started)
            first.stop(signal.SIGKILL)
            await asyncio.to_thread(second.promote)
            await watch.again(url)
            await load.go(20)
            await load.finish()
            await check(load, watch, ledger)
            assert set(acknowledged) <= set(load.ended)
    finally:
        for engine in both:
            engine.clear()
