"""Golden stores: what a release left when it died at each point of each scenario, and how it would go on.

Made once with the code of that release, never again: in a checkout of it, with this folder's parent behind it
on the path, `python -m storms.rig.upgrade FOLDER`. Later releases open them and must come to the same ends.
"""

import asyncio
import gzip
import json
import sys
from dataclasses import replace
from hashlib import sha256
from importlib import resources
from pathlib import Path

from core.scenario import read
from dirigent.model.ids import effect_id
from dirigent.model.run.journal import JOURNAL_VERSION, Ended, Intended
from dirigent.stores import codec
from dirigent.stores.sqlite import SqliteStore
from dirigent.testing import MemoryStore, VirtualClock
from engine.harness import RUN, Outside, calm_life, case_of
from engine.workflows import OPEN, SCENARIOS
from stores.samples import FACTS

SQL = resources.files("dirigent.stores.sqlite").joinpath("sql")
FILES = ("dirigent.db", "dirigent.db-wal")
PATIENCE = 200
REAL_SECONDS = 60


def cases():
    """Yield every scenario that ends and needs no limits of its own."""
    for name in sorted(SCENARIOS.keys() - OPEN):
        given, program = read(SCENARIOS[name].read_text().partition("\n----\n")[0])
        if "limits" not in given:
            yield name, case_of(given, program)


def points(case):
    """Yield the journal of a calm life as it was after each of its appends."""
    outside = calm_life(case)
    journal = outside.journal
    for place in outside.fuse.places:
        if place.startswith("after") and "@" in place:
            first = int(place.partition("@")[2].split()[0])
            length = first + len(place.partition("@")[2].split()) - 1
            yield journal[:length]


def resumed(case, facts):
    """Return how a run ends that is taken up where these facts leave it, the world being as it was then."""
    outside = Outside(case)
    now = facts[-1].at
    outside.clock = VirtualClock(now, patience=PATIENCE)
    for fact in facts:
        if isinstance(fact, Intended):
            outside.world.begun[effect_id(RUN, fact.position), fact.attempt] = fact.at
    return asyncio.run(asyncio.wait_for(_resumed(outside, facts), REAL_SECONDS))


async def _resumed(outside, facts):
    store = MemoryStore(outside.disk)
    digest = await store.keep(outside.case.program)
    await store.append(RUN, 0, [replace(facts[0], definition=digest), *facts[1:]])
    engine = outside.engine()
    await engine.open()
    talk = asyncio.ensure_future(outside.talk(engine))
    end = asyncio.ensure_future(engine.wait(RUN))
    await asyncio.wait({end, talk}, return_when=asyncio.FIRST_COMPLETED)
    talk.cancel()
    ended = end.result()
    await engine.close()
    return ended


def end_of(case, facts):
    """Return how a run ends from here; None where a person would have to say a word again that was said."""
    try:
        return shown(resumed(case, facts))
    except TimeoutError:
        return None


def shown(ended):
    """Return an end as JSON knows it."""
    fault = ended.fault and [ended.fault.type, ended.fault.status, ended.fault.title]
    return [ended.phase, ended.output, fault]


def write(folder):
    """Write the store of this release, unclean as a kill leaves it, and the ends that it comes to."""
    folder.mkdir(parents=True)
    path = folder / "dirigent.db"
    ends = asyncio.run(_written(str(path)))
    for name in FILES:
        content = (folder / name).read_bytes()
        (folder / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    for left in folder.glob("dirigent.db*"):
        if left.suffix != ".gz":
            left.unlink()
    lines = [f"{json.dumps(name)}: {json.dumps(end, sort_keys=True)}" for name, end in ends.items()]
    (folder / "form.json").write_text(json.dumps(form(), indent=1) + "\n")
    (folder / "ends.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


async def _written(path):
    store, ends, appends = SqliteStore.open_for_writing(path), {}, []
    for name, case in cases():
        digest = await store.keep(case.program)
        for facts in await asyncio.to_thread(lambda case=case: list(points(case))):
            run = f"{name}~{len(facts)}"
            appends.append(store.append(run, 0, [replace(facts[0], definition=digest), *facts[1:]]))
            over = isinstance(facts[-1], Ended)
            ends[run] = shown(facts[-1]) if over else await asyncio.to_thread(end_of, case, facts)
    # All in one commit, so that the log is small. It is not closed: the log lies beside the file as it
    # was, and nothing is marked as clean.
    await asyncio.gather(*appends)
    return ends


def form():
    """Return what tells this format from another one: every fact in bytes, and every migration."""
    facts = {type(fact).__name__: codec.encode_fact(fact).hex() for fact in FACTS}
    names = sorted(entry.name for entry in SQL.iterdir() if entry.name[0].isdigit())
    sums = {name: sha256((SQL / name).read_bytes()).hexdigest() for name in names}
    return {"journal": JOURNAL_VERSION, "migrations": sums, "facts": facts}


def unpacked(golden, folder):
    """Lay a golden store out in a folder; return its path."""
    for name in FILES:
        (folder / name).write_bytes(gzip.decompress((golden / f"{name}.gz").read_bytes()))
    return folder / FILES[0]


if __name__ == "__main__":
    write(Path(sys.argv[1]))
