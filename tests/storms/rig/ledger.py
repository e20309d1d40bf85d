"""What a life said, kept outside of it, and whether a store still knows all of it."""

import asyncio
import json
import sqlite3
from collections import Counter
from contextlib import closing

from dirigent.model.run.journal import Created, Ended, Intended, ResourceChanged
from dirigent.stores.sqlite import SqliteStore
from storms.rig.life import sum_of


class Lost(AssertionError):
    """The store does not know what was acknowledged, or is damaged."""


class Damaged(Lost):
    """The file is no sound database."""


def lines(heard, before=None):
    """Return what was said before a moment; a last line cut short was not said."""
    said = [json.loads(line) for line in heard.split(b"\n")[:-1]]
    return said if before is None else [each for each in said if each[1] < before]


def counted(said):
    """Return how many promises of each kind were given."""
    return Counter(each[0] for each in said if each[0] in "FSTPE")


async def phases_of(path):
    """Return the phase of every run."""
    store = SqliteStore.open_for_reading(path)
    try:
        return {found.id: found.phase for found in await store.runs(limit=1_000_000)}
    finally:
        await store.close()


def check(path, said):
    """Raise `Lost` unless the store holds what was said, whole; return how many facts there are."""
    try:
        with closing(sqlite3.connect(path)) as plain:
            found = [row[0] for row in plain.execute("pragma integrity_check")]
    except sqlite3.DatabaseError as error:
        raise Damaged(f"integrity: {error}") from error
    if found != ["ok"]:
        raise Damaged(f"integrity: {found[:3]}")
    return asyncio.run(_check(path, said))


async def _check(path, said):
    store = SqliteStore.open_for_writing(path, network=True)
    try:
        journals = {}
        for run in dict.fromkeys(each[2] for each in said if each[0] in "FSTE"):
            journals[run] = await store.read(run)
            await _check_run(store, run, journals[run])
        for each in said:
            _check_promise(each, journals)
            if each[0] == "P" and await store.plan(each[2]) is None:
                raise Lost(f"plan {each[2]} is not there")
        return sum(map(len, journals.values()))
    finally:
        store.abandon()


async def _check_run(store, run, facts):
    """Check that a journal is one, and that the rows are those of its facts."""
    if facts and not isinstance(facts[0], Created):
        raise Lost(f"{run} begins with {facts[0]}")
    summary = await store.run(run)
    if (summary.facts if summary else 0) != len(facts):
        raise Lost(f"{run} has {len(facts)} facts, its row says {summary}")
    if facts and (summary.ended_at is not None) != isinstance(facts[-1], Ended):
        raise Lost(f"{run} has a row that does not fit its end: {summary}")
    rows = [fact.row for fact in facts if isinstance(fact, ResourceChanged) and fact.address == run]
    if await store.row(run) != (rows[-1] if rows else None):
        raise Lost(f"the row of {run} is not that of its last fact")
    if facts:
        await store.definition(facts[0].definition)


def _check_promise(each, journals):
    match each:
        case ["F", _, run, first, length, wanted]:
            there = journals[run][first : first + length]
            if len(there) != length:
                raise Lost(f"{run}: {first + length} facts were acknowledged, {len(journals[run])} are left")
            if wanted is not None and sum_of(there) != wanted:
                raise Lost(f"{run}: facts from {first} on are not those that were acknowledged")
        case ["S", _, run]:
            if not journals[run]:
                raise Lost(f"the start of {run} was acknowledged, and it is not there")
        case ["T", _, run, kind]:
            if not any(type(fact).__name__ == kind for fact in journals[run]):
                raise Lost(f"{run} was told {kind}, and does not know it")
        case ["E", _, run, position, attempt]:
            intents = [fact for fact in journals[run] if isinstance(fact, Intended)]
            if not any((fact.position, fact.attempt) == (position, attempt) for fact in intents):
                raise Lost(f"{run}: an effect at {position} happened without an intent")
