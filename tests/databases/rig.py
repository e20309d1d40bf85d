"""Engines as processes on one database, a client that starts runs all the time, and an auditor inside it.

The auditor notes each journal row that is written by a session whose engine does not own the shard just then.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from dirigent.engine.fleet.conductor import FleetConductor
from dirigent.model.run.start import Start
from dirigent.service.documents import load_workflow
from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres.database import Database
from dirigent.stores.postgres.inbox import Inbox
from dirigent.stores.postgres.store import PostgresStore

SECONDS = 60.0
LOOK_SECONDS = 0.002
# A sleeper that wakes so late was kept from the processor.
STARVED_SECONDS = 0.05
SHARDS = 16

AUDITOR = """
create table dirigent.stale (run bigint, position integer, session text, owner text);
create function dirigent.audit() returns trigger language plpgsql as $$
declare owning text;
begin
  select s.owner into owning from dirigent.shards s join dirigent.runs r on r.shard = s.id
  where r.number = new.run;
  if found and current_setting('application_name') <> left('dirigent ' || coalesce(owning, ''), 63) then
    insert into dirigent.stale (run, position, session, owner)
    values (new.run, new.position, current_setting('application_name'), owning);
  end if;
  return null;
end $$;
create trigger audited after insert on dirigent.journal for each row execute function dirigent.audit();
"""

WORKFLOW = """
document: {dsl: '1.0.1', namespace: fleet, name: steps, version: '1.0.0'}
do:
- one: {set: {n: 1}}
- two: {wait: {milliseconds: 150}}
- three:
    call: http
    with: {method: put, endpoint: 'http://127.0.0.1:PORT/three', body: {run: '${ $workflow.id }'}}
- four: {wait: {milliseconds: 100}}
- five:
    call: http
    with: {method: put, endpoint: 'http://127.0.0.1:PORT/five', body: {run: '${ $workflow.id }'}}
- six: {set: {done: true}}
"""


def python(*words, **more):
    """Start a Python of our own."""
    return subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more
    )


@dataclass
class EngineProcess:
    """One engine that serves a database; `words` may name a script that plants a fault."""

    url: str
    folder: object
    words: tuple[str, ...] = ("-m", "dirigent")
    process: subprocess.Popen | None = None

    def start(self):
        self.clear()  # one that ended by itself left its pipe
        self.process = python(*self.words, "serve", "--store", self.url, "-C", str(self.folder))
        return self

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        self.process.kill()
        return self.process.communicate(timeout=SECONDS)[0]

    def end(self):
        """SIGTERM, and return what it said."""
        self.process.terminate()
        return self.last_words()

    def last_words(self):
        """Wait until it has ended, and return what it said."""
        return self.process.communicate(timeout=SECONDS)[0]

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def wake(self):
        self.process.send_signal(signal.SIGCONT)

    def clear(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(SECONDS)
            self.process.stdout.close()


@dataclass
class Ledger:
    """A service that counts what it is asked, by path and run."""

    puts: dict = field(default_factory=dict)
    port: int = 0

    async def answer(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                key = (lines[0].split()[1], json.loads(body)["run"])
                self.puts[key] = self.puts.get(key, 0) + 1
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


@dataclass
class Watch:
    """Sees who owns what, through a session of its own."""

    session: object

    async def again(self, url):
        """Open the session anew after the server was away."""
        end = time.monotonic() + SECONDS
        while True:
            try:
                self.session = await asyncpg.connect(url, target_session_attrs="read-write", timeout=5)
            except (OSError, asyncpg.PostgresError, asyncpg.InternalClientError):
                assert time.monotonic() < end
                await asyncio.sleep(0.1)
            else:
                return

    async def owners(self):
        """Return the owner of each shard whose lease stands."""
        rows = await self.session.fetch(
            "select id, owner from dirigent.shards where until > clock_timestamp() and owner is not null"
        )
        return {row["id"]: row["owner"] for row in rows}

    async def owner(self, engine):
        """Return the name of an engine."""
        title = f"process {engine.pid} on %"
        return await self.session.fetchval("select id from dirigent.engines where title like $1", title)

    async def owns_some(self, owner):
        """Return whether an engine owns shards."""
        return owner in (await self.owners()).values()

    async def without(self, owner):
        """Wait until an engine owns nothing any more."""
        end = time.monotonic() + SECONDS
        while owner in (await self.owners()).values():
            assert time.monotonic() < end
            await asyncio.sleep(0.002)

    async def until_owned_by(self, owners, seconds=SECONDS):
        """Return how long it took until these engines, and only they, own all shards, each its share.

        Time for which this process itself was not let run is left out: others were kept waiting as well.
        """
        began, starved = time.monotonic(), 0.0
        while True:
            held = await self.owners()
            counts = [list(held.values()).count(name) for name in owners]
            if sum(counts) == SHARDS and max(counts) - min(counts) <= 1:
                return time.monotonic() - began - starved
            assert time.monotonic() - began < seconds, f"{held} instead of {owners}"
            asleep = time.monotonic()
            await asyncio.sleep(LOOK_SECONDS)
            late = time.monotonic() - asleep - LOOK_SECONDS
            starved += late if late > STARVED_SECONDS else 0.0

    async def share(self, *engines):
        """Wait until these engines share the shards, and return their names."""
        end = time.monotonic() + SECONDS
        while True:
            names = [await self.owner(engine) for engine in engines]
            if None not in names:
                break
            for engine in engines:
                assert engine.process.poll() is None, engine.process.stdout.read()
            assert time.monotonic() < end, "an engine does not come up"
            await asyncio.sleep(0.05)
        await self.until_owned_by(names)
        return names

    async def stale(self):
        """Return how many rows were written by an engine that did not own the shard."""
        return await self.session.fetchval("select count(*) from dirigent.stale")


@dataclass
class Load:
    """Runs that are started all the time, `width` of them at once."""

    conductor: FleetConductor
    program: object
    width: int
    started: list = field(default_factory=list)
    ended: dict = field(default_factory=dict)
    stopping: bool = False
    _tasks: list = field(default_factory=list)

    def begin(self):
        self._tasks = [asyncio.ensure_future(self._go_on(n)) for n in range(self.width)]

    async def _go_on(self, worker):
        turn = 0
        while not self.stopping:
            run = f"run-{worker}-{turn}"
            turn += 1
            await self.conductor.start(Start(run, self.program, {"n": turn}))
            self.started.append(run)
            self.ended[run] = (await self.conductor.follow(run, lambda *_: None)).phase

    async def finish(self):
        """Start nothing more, and return when everything that was started has ended."""
        self.stopping = True
        await asyncio.wait_for(asyncio.gather(*self._tasks), SECONDS)

    async def go(self, count):
        """Return when so many more runs have ended."""
        goal = len(self.ended) + count
        end = time.monotonic() + SECONDS
        while len(self.ended) < goal:
            assert time.monotonic() < end, f"{len(self.ended)} of {goal} runs ended: the work stands still"
            for task in self._tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.02)


@asynccontextmanager
async def working(url, folder, width=12):
    """Yield a watch, a load and a ledger on a database."""
    ledger = Ledger()
    service = await asyncio.start_server(ledger.answer, "127.0.0.1", 0)
    ledger.port = service.sockets[0].getsockname()[1]
    (folder / "steps.yaml").write_text(WORKFLOW.replace("PORT", str(ledger.port)))
    program, _ = load_workflow(folder / "steps.yaml")
    database = await Database.opened(DatabaseUrl(url), f"client-{os.getpid()}")
    store = PostgresStore(database)
    session = await asyncpg.connect(url, target_session_attrs="read-write")
    await session.execute(AUDITOR)
    watch = Watch(session)
    load = Load(FleetConductor(Inbox.of(database), store, store), program, width)
    try:
        yield watch, load, ledger
    finally:
        load.stopping = True
        for task in load._tasks:
            task.cancel()
        await asyncio.gather(*load._tasks, return_exceptions=True)
        await watch.session.close()
        await database.close()
        service.close()


async def check(load, watch, ledger):
    """Nothing that was acknowledged is lost, no past owner wrote, every effect happened."""
    assert set(load.ended) == set(load.started)
    assert set(load.ended.values()) == {"completed"}, load.ended
    for run in load.started:
        facts = await load.conductor.journal.read(run)  # positions without a gap, checksums, the codec
        assert facts
    assert {run for path, run in ledger.puts if path == "/five"} == set(load.started)
    assert await watch.stale() == 0
