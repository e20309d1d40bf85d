"""What the promise rests on: how the file is made, opened, synchronised and examined."""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Created, Succeeded
from dirigent.stores import files
from dirigent.stores.sqlite import SqliteStore, opening
from dirigent.stores.sqlite.statements import MIGRATIONS
from stores.samples import AT, PAY, PROGRAM, code_of, in_loop


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "dirigent.db"


async def fill(store, run="r", facts=1):
    digest = await store.keep(PROGRAM)
    await store.append(run, 0, [Created(AT, digest, None)])
    for n in range(1, facts):
        await store.append(run, n, [Succeeded(AT, PAY, n, "some text " * 20)])


def names_in(folder):
    return sorted(entry.name for entry in folder.iterdir())


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def ask(path, question):
    with closing(sqlite3.connect(path)) as plain:
        return plain.execute(question).fetchone()


def assert_durable(store):
    """Ask the very connection that writes, not a setting."""
    connection = store._writer._connection
    found = {
        name: connection.execute(f"pragma {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync")
    }
    assert found == {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1, "checkpoint_fullfsync": 1}


def test_the_connection_that_writes_waits_for_the_disk(path):
    store = SqliteStore.open_for_writing(str(path))
    assert_durable(store)
    store.abandon()


@pytest.mark.parametrize("weaker", ["synchronous = off", "synchronous = normal", "journal_mode = memory"])
def test_a_store_that_does_not_wait_for_the_disk_is_detected(path, monkeypatch, weaker):
    monkeypatch.setattr(opening, "PRAGMAS", (*opening.PRAGMAS, weaker))
    store = SqliteStore.open_for_writing(str(path))
    with pytest.raises(AssertionError):
        assert_durable(store)
    store.abandon()


def test_the_directory_is_synchronised_after_the_file_is_in_it(path, monkeypatch):
    synced = []
    fsync = os.fsync

    def record(descriptor):
        target = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append((target, names_in(target) if target.is_dir() else []))
        fsync(descriptor)

    monkeypatch.setattr(files.os, "fsync", record)
    SqliteStore.open_for_writing(str(path)).abandon()
    folder = path.parent
    names = [name for name, _ in synced]
    # First the new directory's own name, then the file, and last the names in the directory.
    assert names == [folder.parent, path, folder]
    assert "dirigent.db" in synced[-1][1]
    assert "dirigent.db-wal" in synced[-1][1]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
@in_loop
async def test_files_are_private_whatever_the_umask_is(path, umask):
    before = os.umask(umask)
    try:
        store = SqliteStore.open_for_writing(str(path))
        await fill(store)
    finally:
        os.umask(before)
    folder = path.parent
    modes = {name: mode(folder / name) for name in names_in(folder)}
    assert modes == dict.fromkeys(("dirigent.db", "dirigent.db-wal", "dirigent.db-shm"), 0o600)
    assert mode(folder) == 0o700
    store.abandon()


def test_a_file_that_others_could_read_is_closed_to_them(path):
    SqliteStore.open_for_writing(str(path)).abandon()
    path.chmod(0o644)
    SqliteStore.open_for_writing(str(path)).abandon()
    assert mode(path) == 0o600


@in_loop
async def test_an_orderly_end_leaves_one_file_and_the_mark(path):
    store = SqliteStore.open_for_writing(str(path))
    await fill(store)
    assert ask(path, "select clean from fence") == (0,)
    await store.close()
    assert names_in(path.parent) == ["dirigent.db"]
    assert ask(path, "select epoch, clean from fence") == (1, 1)


def break_page(path, number):
    with path.open("r+b") as file:
        file.seek((number - 1) * 4096)
        file.write(b"\xff" * 64)


def middle_page(path):
    """Return a leaf page of the journal in the middle of the file."""
    return path.stat().st_size // 4096 // 2 + 6


@pytest.mark.parametrize("clean", [False, True])
@in_loop
async def test_after_an_unclean_end_every_page_is_examined(path, clean):
    store = SqliteStore.open_for_writing(str(path))
    await fill(store, facts=400)
    if clean:
        await store.close()
    store.abandon()
    break_page(path, middle_page(path))
    if clean:
        # The control: nobody looked, so the opening succeeds, and the damage shows when it is read.
        store = SqliteStore.open_for_writing(str(path))
        with pytest.raises(Refusal) as caught:
            await store.read("r")
        store.abandon()
    else:
        with pytest.raises(Refusal) as caught:
            SqliteStore.open_for_writing(str(path))
    assert code_of(caught) == "E5008"
    assert caught.value.problems[0].help


@in_loop
async def test_a_bit_that_flips_inside_a_fact_is_found(path):
    store = SqliteStore.open_for_writing(str(path))
    await fill(store, facts=3)
    await store.close()
    path.write_bytes(path.read_bytes().replace(b"some text some", b"Some text some", 1))
    store = SqliteStore.open_for_reading(str(path))
    with pytest.raises(Refusal) as caught:
        await store.read("r")
    assert code_of(caught) == "E5008"
    await store.close()


@in_loop
async def test_a_missing_fact_or_blob_and_a_changed_definition_are_found(path):
    store = SqliteStore.open_for_writing(str(path))
    digest = await store.keep(PROGRAM)
    await fill(store, "gap", 4)
    await store.append("large", 0, [Created(AT, digest, "x" * 50_000)])
    await store.close()
    plain = sqlite3.connect(path)
    plain.execute("delete from journal where position = 2")
    plain.execute("delete from blobs")
    plain.execute("update definitions set content = x'00'")
    plain.commit()
    plain.close()
    store = SqliteStore.open_for_writing(str(path))
    for question in (store.read("gap"), store.read("large"), store.definition(digest)):
        with pytest.raises(Refusal) as caught:
            await question
        assert code_of(caught) == "E5008"
    store.abandon()


@pytest.mark.parametrize(
    "content", [b"this is a letter, not a database" * 200, b"SQLite format 3\x00" + b"\xaa" * 8000]
)
@pytest.mark.parametrize("opener", [SqliteStore.open_for_writing, SqliteStore.open_for_reading])
def test_what_is_no_database_is_refused(path, content, opener):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(Refusal) as caught:
        opener(str(path))
    assert code_of(caught) == "E5008"


@pytest.mark.parametrize("opener", [SqliteStore.open_for_writing, SqliteStore.open_for_reading])
def test_a_database_of_another_program_is_refused_and_left_alone(path, opener):
    path.parent.mkdir()
    plain = sqlite3.connect(path)
    plain.execute("create table journal (id integer primary key)")
    plain.commit()
    plain.close()
    before = path.read_bytes()
    with pytest.raises(Refusal) as caught:
        opener(str(path))
    assert code_of(caught) == "E5005"
    assert path.read_bytes() == before


@pytest.mark.parametrize("opener", [SqliteStore.open_for_writing, SqliteStore.open_for_reading])
def test_a_file_of_a_later_release_is_refused(path, opener):
    SqliteStore.open_for_writing(str(path)).abandon()
    plain = sqlite3.connect(path)
    plain.execute(f"pragma user_version = {len(MIGRATIONS) + 1}")
    plain.close()
    with pytest.raises(Refusal) as caught:
        opener(str(path))
    assert code_of(caught) == "E5005"
    assert str(len(MIGRATIONS) + 1) in str(caught.value)


def test_an_empty_file_is_a_new_store_for_a_writer_and_none_for_a_reader(path):
    path.parent.mkdir()
    path.touch()
    with pytest.raises(Refusal) as caught:
        SqliteStore.open_for_reading(str(path))
    assert code_of(caught) == "E5005"
    SqliteStore.open_for_writing(str(path)).abandon()


def test_a_store_that_does_not_exist_cannot_be_read_and_is_not_made(path):
    with pytest.raises(Refusal) as caught:
        SqliteStore.open_for_reading(str(path))
    assert code_of(caught) == "E5012"
    assert not path.parent.exists()


def test_a_path_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("not a directory")
    for path in (tmp_path / "file" / "dirigent.db", tmp_path):
        with pytest.raises(Refusal) as caught:
            SqliteStore.open_for_writing(str(path))
        assert code_of(caught) == "E5012"


@pytest.mark.parametrize("name", ["with space", "q?a=b#c", "ünï", "100%41"])
@in_loop
async def test_any_name_of_a_directory_will_do(tmp_path, name):
    path = tmp_path / name / "dirigent.db"
    store = SqliteStore.open_for_writing(str(path))
    await fill(store)
    await store.close()
    assert names_in(tmp_path) == [name]
    assert names_in(path.parent) == ["dirigent.db"]


@in_loop
async def test_a_reader_sees_what_is_acknowledged_and_changes_nothing(path):
    writer = SqliteStore.open_for_writing(str(path))
    await fill(writer, facts=2)
    reader = SqliteStore.open_for_reading(str(path))
    for length in (2, 3, 4):
        assert len(await reader.read("r")) == length
        assert (await reader.run("r")).facts == length
        await writer.append("r", length, [Succeeded(AT, PAY, length, None)])
    for write in (reader.append("r", 5, []), reader.keep(PROGRAM)):
        with pytest.raises(Refusal) as caught:
            await write
        assert code_of(caught) == "E5019"
    with pytest.raises(sqlite3.OperationalError):
        reader._reader._connection.execute("delete from journal")
    await writer.append("r", 5, [Succeeded(AT, PAY, 5, None)])
    await reader.close()
    await writer.close()
    assert names_in(path.parent) == ["dirigent.db"]


MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / /mnt/team rw shared:1 - nfs4 server:/team rw
31 22 0:41 / /mnt/my\\040share rw - cifs //server/share rw
32 22 0:42 / /mnt/ssh rw - fuse.sshfs host:/ rw
33 22 8:1 / /mnt/usb rw - fuseblk /dev/sda1 rw
34 30 8:2 / /mnt/team/local rw - xfs /dev/sdb rw
35 22 0:43 / /mnt/twice rw - ext4 /dev/sdc rw
36 22 0:44 / /mnt/twice rw - nfs server:/twice rw
a line that is none
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/state/dirigent.db", "ext4"),
        ("/mnt/team/state/dirigent.db", "nfs4"),
        ("/mnt/teamwork/dirigent.db", "ext4"),
        ("/mnt/team/local/dirigent.db", "xfs"),
        ("/mnt/my share/dirigent.db", "cifs"),
        ("/mnt/ssh/dirigent.db", "fuse.sshfs"),
        ("/mnt/usb/dirigent.db", "fuseblk"),
        ("/mnt/twice/dirigent.db", "nfs"),
    ],
)
def test_the_file_system_of_a_path_is_known_and_network_ones_are_refused(path, kind):
    assert files.file_system(path, MOUNTS) == kind
    if kind in ("ext4", "xfs", "fuseblk"):
        files.refuse_network(path, MOUNTS)
    else:
        with pytest.raises(Refusal) as caught:
            files.refuse_network(path, MOUNTS)
        assert code_of(caught) == "E5006"


def test_a_store_on_a_network_file_system_is_refused_unless_told_otherwise(path, tmp_path, monkeypatch):
    mounts = tmp_path / "mountinfo"
    mounts.write_text("22 1 0:40 / / rw - nfs4 server:/ rw\n")
    monkeypatch.setattr(files, "MOUNTS", str(mounts))
    with pytest.raises(Refusal) as caught:
        SqliteStore.open_for_writing(str(path))
    assert code_of(caught) == "E5006"
    assert not path.exists()
    SqliteStore.open_for_writing(str(path), network=True).abandon()
