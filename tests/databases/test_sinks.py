"""Sinks on a shared store: one engine delivers at a time, and who lost that moves no cursor."""

from __future__ import annotations

import json

import pytest

from cli.test_events import dirigent
from cli.test_events_out import PAY
from dirigent.engine.events.courier import Courier, Route
from dirigent.engine.events.telling import Wants
from dirigent.model.events.cursor import Cursor
from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres import Database, PostgresStore
from dirigent.testing import VirtualClock
from stores.samples import AT, in_loop

pytestmark = pytest.mark.slow


def event(n):
    return {"specversion": "1.0", "id": str(n), "source": "/shop", "type": "paid"}


class Sink:
    """Keeps what it gets."""

    def __init__(self):
        self.got = []

    async def send(self, events):
        self.got += [each["id"] for each in events]


async def two(server):
    """Return the logs of two engines on one database, and how to let go of them."""
    url = DatabaseUrl(server.fresh())
    found = [await Database.opened(url, name) for name in ("one", "two")]

    async def leave():
        for database in found:
            await database.close()

    return [PostgresStore(database).log for database in found], leave


@in_loop
async def test_one_engine_has_a_sink_until_its_claim_is_over(server):
    (one, two_), leave = await two(server)
    await one.take_events([(AT, event(n)) for n in range(2)])
    await one.keep_cursor(Cursor("out"))
    assert await one.claim("out", "one", 1e6) == (0, 0)
    assert await two_.claim("out", "two", 1e6) is None
    (first, second) = await one.events(0.0, (0, 0), 9)
    assert await two_.advance("out", "two", second.place) is False
    assert await one.advance("out", "one", first.place) is True
    # Its claim ends at once: now the other one has it.
    assert await one.claim("out", "one", 0.0) == first.place
    assert await two_.claim("out", "two", 1e6) == first.place
    assert await one.advance("out", "one", second.place) is False
    assert (await one.cursors())[0].place == first.place
    await leave()


@in_loop
async def test_of_two_couriers_one_delivers_and_the_other_goes_on(server):
    logs, leave = await two(server)
    sinks, couriers = [Sink(), Sink()], []
    for name, log, sink in zip(("one", "two"), logs, sinks, strict=True):
        courier = Courier(log, VirtualClock(0.0), [Route(Cursor("out"), sink)], lambda *_: None, name)
        await courier.open()
        couriers.append((courier, courier.routes[0]))
    await logs[0].take_events([(AT, event(n)) for n in range(3)])
    for courier, route in couriers:
        while await courier.round(route):
            pass
    assert (sinks[0].got, sinks[1].got) == (["0", "1", "2"], [])
    await logs[0].claim("out", "one", 0.0)
    await logs[0].take_events([(AT, event(3))])
    for courier, route in reversed(couriers):
        while await courier.round(route):
            pass
    assert (sinks[0].got, sinks[1].got) == (["0", "1", "2"], ["3"])
    await leave()


@in_loop
async def test_what_sinks_want_is_known_to_every_engine(server):
    (one, two_), leave = await two(server)
    await one.keep_cursor(Cursor("out", types=("io.serverlessworkflow.task.*",)))
    wants = Wants()
    wants.renew(await two_.cursors())
    assert len(wants.types) == 8
    await leave()


def test_a_command_on_a_database_delivers_what_its_run_tells(server, tmp_path):
    (tmp_path / "pay.yaml").write_text(PAY)
    url = server.fresh()
    code, _, err = dirigent(tmp_path, "run", "pay.yaml", "--store", url, "--events", "file:out.jsonl")
    assert code == 0, err
    lines = [json.loads(line)["type"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert lines[0] == "io.serverlessworkflow.workflow.started.v1"
    assert lines.count("com.example.paid") == 3
    assert lines[-1] == "io.serverlessworkflow.workflow.completed.v1"
    assert dirigent(tmp_path, "events", "--store", url, "--sinks")[1].startswith("there is no sink")
