"""Large values as files: durable before they are named, checked when read, swept when nobody names them."""

import hashlib
import os
from pathlib import Path

import pytest

from dirigent.model.problem import Refusal
from dirigent.model.run import payload
from dirigent.model.run.journal import Created, Ended, Succeeded
from dirigent.stores.folder.payloads import Payloads
from dirigent.testing import Crash

CONTENT = b"large " * 100_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Disk:
    """Notes what is synced and named, and dies at a chosen one of these steps."""

    def __init__(self, monkeypatch, death=None):
        self.steps = []
        self.death = death
        self.sync, self.name = os.fsync, os.rename
        monkeypatch.setattr(os, "fsync", self.fsync)
        monkeypatch.setattr(os, "rename", self.rename)

    def note(self, step):
        self.steps.append(step)
        if len(self.steps) == self.death:
            raise Crash(str(step))

    def fsync(self, descriptor):
        self.note(("sync", Path(f"/proc/self/fd/{descriptor}").readlink()))
        self.sync(descriptor)

    def rename(self, source, target):
        self.note(("name", Path(source), Path(target)))
        self.name(source, target)


def assert_durable(steps, path):
    """The content is synced before it gets its name, and the name after that."""
    named = next(n for n, step in enumerate(steps) if step[0] == "name" and step[2] == path)
    part = steps[named][1]
    assert ("sync", part) in steps[:named], "named before its content was durable"
    assert ("sync", path.parent) in steps[named:], "its name is not durable"


def test_content_is_durable_before_it_has_its_name_and_the_name_before_anybody_is_told(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)
    store = Payloads(str(tmp_path / "payloads"))
    assert not store.any
    assert store.put(CONTENT) == DIGEST
    assert_durable(disk.steps, store.path(DIGEST))
    assert store.any
    assert store.get(DIGEST) == CONTENT


class NamesFirst(Payloads):
    """A planted fault: the name comes before the content is durable."""

    def put(self, content):
        digest = hashlib.sha256(content).hexdigest()
        path = self.path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(content)
        part.rename(path)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        return digest


class ForgetsTheFolder(NamesFirst):
    """A planted fault: the name itself is never durable."""

    def put(self, content):
        digest = hashlib.sha256(content).hexdigest()
        path = self.path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(content)
            os.fsync(file.fileno())
        part.rename(path)
        return digest


@pytest.mark.parametrize("planted", [NamesFirst, ForgetsTheFolder])
def test_an_order_that_a_power_cut_would_punish_is_caught(tmp_path, monkeypatch, planted):
    disk = Disk(monkeypatch)
    store = planted(str(tmp_path / "payloads"))
    store.put(CONTENT)
    with pytest.raises(AssertionError, match="durable"):
        assert_durable(disk.steps, store.path(DIGEST))


def test_a_crash_at_any_step_leaves_garbage_at_most_and_the_next_one_succeeds(tmp_path, monkeypatch):
    with monkeypatch.context() as calm:
        disk = Disk(calm)
        Payloads(str(tmp_path / "calm")).put(CONTENT)
    for death in range(1, len(disk.steps) + 1):
        store = Payloads(str(tmp_path / str(death)))
        with monkeypatch.context() as deadly:
            Disk(deadly, death)
            with pytest.raises(Crash):
                store.put(CONTENT)
        for path in store.stored():
            assert path.suffix == ".part" or hashlib.sha256(path.read_bytes()).hexdigest() == path.name
        assert store.put(CONTENT) == DIGEST
        assert store.get(DIGEST) == CONTENT
        store.sweep({DIGEST}, young_seconds=0)
        assert [path.name for path in store.stored()] == [DIGEST]


def test_the_same_content_is_stored_once(tmp_path):
    store = Payloads(str(tmp_path))
    assert store.put(CONTENT) == store.put(CONTENT)
    assert len(list(store.stored())) == 1


def test_sweeping_spares_what_is_named_and_what_is_young(tmp_path):
    store = Payloads(str(tmp_path))
    named, other = store.put(b"named"), store.put(b"other")
    assert store.sweep({named}) == 0
    assert store.sweep({named}, young_seconds=0) == len(b"other")
    assert store.get(named) == b"named"
    with pytest.raises(Refusal, match="E5070"):
        store.get(other)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, DIGEST[:-1]])
def test_what_is_no_digest_names_nothing(tmp_path, digest):
    with pytest.raises(Refusal, match="E5070"):
        Payloads(str(tmp_path)).get(digest)


def test_a_damaged_file_is_named_with_the_run_that_it_belongs_to(tmp_path):
    store = Payloads(str(tmp_path))
    store.path(store.put(CONTENT)).write_bytes(CONTENT[:-1])
    with pytest.raises(Refusal, match=rf"E5071.*`{DIGEST}` of run `r1` at `/do/0` is damaged"):
        store.get(DIGEST, " of run `r1` at `/do/0`")
    # It is no longer what it was, so it is written anew.
    store.put(CONTENT)
    assert store.get(DIGEST) == CONTENT


def test_facts_tell_which_files_they_name():
    one, two = "1" * 64, "2" * 64
    facts = [
        Created(0.0, "d", {"deep": [{"in": payload.reference(one, 5, "text")}]}),
        Succeeded(0.0, "/do/0", 1, payload.reference(two, 5, "json")),
        Ended(0.0, "completed", "plain"),
    ]
    assert payload.referenced(facts) == {one, two}
