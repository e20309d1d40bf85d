"""A journal that any release has written is read by all later ones, down to the last byte."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from dirigent.model.fault import Fault
from dirigent.model.plan import Plan
from dirigent.model.problem import Refusal
from dirigent.model.program import Program
from dirigent.model.resource import ResourceRow
from dirigent.model.run.journal import (
    JOURNAL_VERSION,
    Created,
    Ended,
    Held,
    ResourceChanged,
    Succeeded,
    TimerSet,
)
from dirigent.ports import AWAKE
from dirigent.stores import codec, transfer
from dirigent.stores.sqlite import SqliteStore
from stores.golden import EXPORTED, LARGE
from stores.samples import AT, FACTS, FACTS_2, LATER, PAY, PLAN, PROGRAM, PROGRAM_2, in_loop, row

JOURNALS = Path(__file__).parents[1] / "journals"
V1 = JOURNALS / "v1"
# What each version wrote: the facts of all before it, and its own.
WRITTEN = {"v1": FACTS, "v2": FACTS + FACTS_2}
versions = pytest.mark.parametrize("version", WRITTEN)


def test_every_version_has_its_golden_journals():
    folders = sorted(folder.name for folder in JOURNALS.iterdir())
    assert folders == [f"v{n + 1}" for n in range(JOURNAL_VERSION)] == list(WRITTEN)


@versions
def test_every_fact_of_every_version_is_read(version):
    lines = (JOURNALS / version / "facts.hex").read_text().split()
    assert [codec.decode_fact(bytes.fromhex(line)) for line in lines] == list(WRITTEN[version])


@versions
@pytest.mark.parametrize(
    ("name", "kind", "document"),
    [
        ("program", Program, PROGRAM),
        ("program_2", Program, PROGRAM_2),
        ("plan", Plan, PLAN),
        ("row", ResourceRow, row()),
    ],
)
def test_every_document_of_every_version_is_read(version, name, kind, document):
    file = JOURNALS / version / f"{name}.hex"
    if not file.exists():
        assert name.endswith("_2") > (version == "v2"), f"{file} was written once and is gone"
        return
    assert codec.decode(bytes.fromhex(file.read_text()), kind) == document


def test_every_kind_of_fact_has_a_golden_one_of_the_newest_version():
    files = [JOURNALS / f"v{JOURNAL_VERSION}" / name for name in ("facts.hex", *LATER)]
    lines = [line for file in files for line in file.read_text().split()]
    assert {type(codec.decode_fact(bytes.fromhex(line))) for line in lines} == set(codec.KINDS.values())


@pytest.mark.parametrize("name", LATER)
def test_every_fact_that_was_added_later_is_read(name):
    lines = (JOURNALS / "v2" / name).read_text().split()
    assert [codec.decode_fact(bytes.fromhex(line)) for line in lines] == list(LATER[name])


@pytest.mark.parametrize("version", ["v2"])
def test_an_exported_run_of_every_version_is_read(version):
    moved = transfer.read((JOURNALS / version / "run.json").read_text(), "run.json")
    # A definition is named by its content as it was written then; a field that came later has another one.
    facts = [replace(EXPORTED.facts[0], definition=moved.facts[0].definition), *EXPORTED.facts[1:]]
    assert (moved.run, moved.program, list(moved.facts)) == (EXPORTED.run, EXPORTED.program, facts)


def test_a_changed_golden_byte_is_noticed():
    # The control: the comparison above would see a codec that reads something else.
    first = bytearray.fromhex((V1 / "facts.hex").read_text().split()[2])
    first[-1] ^= 1
    assert repr(codec.decode_fact(bytes(first))) != repr(FACTS[2])


def store_of(version, tmp_path):
    path = str(tmp_path / "dirigent.db")
    with closing(sqlite3.connect(path)) as plain:
        plain.executescript((JOURNALS / version / "store.sql").read_text())
    return path


@in_loop
async def test_of_an_older_store_every_open_run_is_looked_at_once(tmp_path):
    path = store_of("v1", tmp_path)
    with pytest.raises(Refusal, match="E5005"):
        SqliteStore.open_for_reading(path)
    store = SqliteStore.open_for_writing(path)
    assert await store.wakings((-1.0, ""), 9) == [(AWAKE, "held")]
    await store.append("held", 5, [], AT + 1)
    assert await store.wakings((-1.0, ""), 9) == [(AT + 1, "held")]
    await store.close()


@versions
@pytest.mark.parametrize("writing", [False, True])
@in_loop
async def test_a_store_of_every_version_is_opened_and_read(tmp_path, writing, version):
    path = store_of(version, tmp_path)
    store = SqliteStore.open_for_writing(path)
    if not writing:
        await store.close()
        store = SqliteStore.open_for_reading(path)
    everything, held, bad = "all", "held", "bad"
    digest = (await store.run(everything)).definition
    assert await store.read(everything) == [replace(FACTS[0], definition=digest), *FACTS[1:]]
    assert await store.read(held) == [
        Created(AT, digest, LARGE),
        Held(AT, PAY, 1, "?"),
        TimerSet(AT, PAY, 1, "wait", AT),
        ResourceChanged(AT, "db", row("db")),
        Succeeded(AT, "/do/2", 1, None),
    ]
    code = [("code", "running", 1 + len(FACTS_2))] if version == "v2" else []
    assert [(run.id, run.phase, run.facts) for run in await store.runs()] == [
        (bad, "faulted", 2),
        *code,
        (held, "held", 5),
        (everything, "faulted", len(FACTS)),
    ]
    assert (await store.run(bad)).fault == Fault("urn:t", 500)
    assert await store.definition(digest) == PROGRAM
    assert await store.plan(PLAN.id) == PLAN
    assert await store.rows() == [row("db")]
    assert [past[2] for past in await store.history("api")] == [FACTS[15].row, None]
    if writing:
        await store.append(held, 5, [Ended(AT, "completed")])
        assert (await store.run(held)).phase == "completed"
    await store.close()
