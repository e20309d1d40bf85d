"""Files and directories, on a real file system: whole or absent, ours or refused, again after any crash."""

from __future__ import annotations

import asyncio
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from dirigent.model.ids import Address, EffectId, Position, RunId
from dirigent.model.problem import Refusal
from dirigent.model.resource import ResourceRow
from dirigent.model.run.effect import Order
from dirigent.model.values import SecretRef, SecretText, Unknown
from dirigent.ports.resources import Operation, ProviderFailed, Reading
from dirigent.providers.files import FilesProvider

SECRET = SecretText(("key=", SecretRef("pay")))


class OpenVault:
    def reveal(self, value):
        if isinstance(value, SecretText):
            return "".join(part if isinstance(part, str) else f"<{part.name}>" for part in value.parts)
        return value

    def redact(self, value):
        return value


class Crash(BaseException):
    """The engine dies here."""


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "stack"
    place.mkdir()
    return place


@pytest.fixture
def files(folder):
    return FilesProvider(str(folder), OpenVault())


def order(effect="e1", *, doubtful=False):
    return Order(RunId("r"), Position("/p"), 1, EffectId(effect), "resource", None, doubtful=doubtful)


def operation(action, config, prior=None, *, kind="file", effect="e1", doubtful=False):
    return Operation(order(effect, doubtful=doubtful), action, "f", kind, config, prior)


def do(files, action, config, prior=None, **more):
    """Apply one operation and return the row that the performer would store, None after a deletion."""
    told = operation(action, config, prior, **more)
    attributes, private = asyncio.run(files.apply(told))
    if action == "delete":
        return None
    return ResourceRow(Address("f"), "f", told.type, config, attributes, private=private)


def as_applied(row):
    claims = () if row.type == "directory" else (f"the path `{row.attributes['path']}`",)
    return Reading(row.attributes, {}, claims)


def read(files, row):
    return asyncio.run(files.read(row))


def propose(files, config, prior=None, kind="file"):
    return asyncio.run(files.propose(kind, prior, config))


def mode_of(path):
    return stat.S_IMODE(path.lstat().st_mode)


def tree(folder):
    """Return everything below a folder, with content and mode."""
    return {
        str(path.relative_to(folder)): (mode_of(path), path.read_text() if path.is_file() else None)
        for path in sorted(folder.rglob("*"))
    }


def test_a_file_is_written_with_its_directories_mode_and_attributes(files, folder):
    row = do(files, "create", {"path": "a/b/c.txt", "content": "hallo", "mode": "640"})
    path = folder / "a/b/c.txt"
    assert path.read_text() == "hallo"
    assert mode_of(path) == 0o640
    assert row.attributes == {
        "path": str(path),
        "sha256": "d3751d33f9cd5049c4af2b462735457e4d3baf130bcbb87f389e349fbaeb20b9",
        "bytes": 5,
        "mode": "0640",
    }
    assert list(path.parent.iterdir()) == [path]


def test_what_was_foretold_is_what_becomes(files):
    config = {"path": "x", "content": "hallo"}
    foretold = propose(files, config)
    assert foretold.replace == ("path",)
    assert do(files, "create", config).attributes == foretold.attributes


def test_what_is_not_known_yet_is_foretold_as_unknown(files):
    foretold = propose(files, {"path": Unknown(), "content": Unknown(), "mode": Unknown()}).attributes
    assert all(isinstance(value, Unknown) for value in foretold.values())
    assert set(foretold) == {"path", "sha256", "bytes", "mode"}
    assert isinstance(propose(files, {"path": "d"}, kind="directory").attributes["mode"], Unknown)


def test_nothing_differs_from_what_was_just_applied(files):
    config = {"path": "x", "content": "", "owner": str(os.getuid()), "group": str(os.getgid())}
    row = do(files, "create", config)
    assert read(files, row) == as_applied(row)


def test_drift_shows_what_differs(files, folder):
    row = do(files, "create", {"path": "x", "content": "one"})
    (folder / "x").write_text("two!")
    (folder / "x").chmod(0o600)
    found = read(files, row)
    assert found.config == {"content": "two!", "mode": "0600"}
    assert found.attributes["bytes"] == 4
    (folder / "x").write_bytes(b"\xff\xfe")
    assert read(files, row).config["content"] == "(2 bytes that are no text)"


def test_another_owner_is_drift(files):
    row = do(files, "create", {"path": "x", "content": ""})
    other = replace(row, config={**row.config, "owner": "4294967", "group": "no-such-group"})
    assert read(files, other).config == {"owner": str(os.getuid()), "group": str(os.getgid())}


def test_what_is_gone_or_something_else_is_gone(files, folder):
    row = do(files, "create", {"path": "x", "content": "one"})
    (folder / "x").unlink()
    assert read(files, row) == Reading(None)
    (folder / "x").mkdir()
    assert read(files, row) == Reading(None)
    (folder / "x").rmdir()
    (folder / "y").write_text("one")
    (folder / "x").symlink_to(folder / "y")
    assert read(files, row) == Reading(None)


def test_an_update_replaces_the_whole_and_keeps_its_directories(files, folder):
    row = do(files, "create", {"path": "a/x", "content": "one"})
    row = do(files, "update", {"path": "a/x", "content": "two", "mode": "0600"}, row, effect="e2")
    assert tree(folder) == {"a": (mode_of(folder / "a"), None), "a/x": (0o600, "two")}
    do(files, "delete", {}, row)
    assert tree(folder) == {}


def test_a_secret_is_written_but_never_kept_or_shown(files, folder):
    config = {"path": "x", "content": SECRET}
    assert propose(files, config).attributes["sha256"] is None
    row = do(files, "create", config)
    assert (folder / "x").read_text() == "key=<pay>"
    assert mode_of(folder / "x") == 0o600
    assert "<pay>" not in repr(row)
    assert row.attributes["sha256"] is None
    assert read(files, row) == as_applied(row)
    (folder / "x").write_text("key=stolen")
    assert read(files, row).config == {"content": "(10 bytes that were not written by Dirigent)"}


def test_a_file_that_was_there_is_refused_in_the_plan_and_in_the_apply(files, folder):
    (folder / "x").write_text("mine")
    config = {"path": "x", "content": "yours"}
    with pytest.raises(Refusal) as caught:
        propose(files, config)
    assert caught.value.problems[0].code == "E3104"
    for content in ("yours", "mine"):
        with pytest.raises(ProviderFailed, match="E3104"):
            do(files, "create", {**config, "content": content})
    with pytest.raises(ProviderFailed, match="E3104"):
        do(files, "create", config, doubtful=True)
    assert tree(folder) == {"x": (mode_of(folder / "x"), "mine")}


def test_a_file_that_was_there_may_be_adopted(files, folder):
    (folder / "x").write_text("mine")
    config = {"path": "x", "content": "yours", "adopt": True}
    propose(files, config)
    do(files, "create", config)
    assert (folder / "x").read_text() == "yours"


def test_a_link_is_replaced_by_adoption_but_never_followed(files, folder):
    (folder / "y").write_text("mine")
    (folder / "x").symlink_to("y")
    config = {"path": "x", "content": "yours"}
    with pytest.raises(ProviderFailed, match="E3104"):
        do(files, "create", config)
    do(files, "create", {**config, "adopt": True})
    assert (folder / "y").read_text() == "mine"
    assert not (folder / "x").is_symlink()


def test_in_doubt_our_own_content_is_the_proof(files, folder):
    (folder / "x").write_text("hallo")
    row = do(files, "create", {"path": "x", "content": "hallo"}, doubtful=True)
    assert mode_of(folder / "x") == 0o644
    assert read(files, row) == as_applied(row)


def test_a_file_that_came_back_is_still_ours(files, folder):
    row = do(files, "create", {"path": "x", "content": "one"})
    again = do(files, "create", {"path": "x", "content": "two"}, row, effect="e2")
    assert again.attributes["bytes"] == 3


def test_a_changed_file_is_not_deleted(files, folder):
    row = do(files, "create", {"path": "x", "content": "one"})
    (folder / "x").write_text("precious")
    with pytest.raises(ProviderFailed, match="E3105"):
        do(files, "delete", {}, row)
    assert (folder / "x").read_text() == "precious"
    (folder / "x").unlink()
    assert do(files, "delete", {}, row) is None


def test_only_empty_directories_that_we_made_go_with_the_file(files, folder):
    (folder / "old").mkdir()
    one = do(files, "create", {"path": "old/new/one", "content": ""})
    two = do(files, "create", {"path": "old/new/two", "content": ""})
    do(files, "delete", {}, one)
    assert (folder / "old/new/two").exists()
    do(files, "delete", {}, two)
    assert sorted(tree(folder)) == ["old"]


def test_a_directory_is_made_and_goes_when_it_is_empty(files, folder):
    row = do(files, "create", {"path": "a/d"}, kind="directory")
    assert (row.attributes["mode"], mode_of(folder / "a/d")) == ("0755", 0o755)
    assert read(files, row) == as_applied(row)
    (folder / "a/d").chmod(0o700)
    assert read(files, row).config == {"mode": "0700"}
    row = do(files, "update", {"path": "a/d", "mode": "0750"}, row, kind="directory")
    assert mode_of(folder / "a/d") == 0o750
    (folder / "a/d/log").write_text("kept")
    do(files, "delete", {}, row, kind="directory")
    assert (folder / "a/d/log").read_text() == "kept"
    (folder / "a/d/log").unlink()
    do(files, "delete", {}, row, kind="directory")
    assert tree(folder) == {}
    do(files, "delete", {}, row, kind="directory")
    assert read(files, row) == Reading(None)


def test_a_directory_that_was_there_is_used_and_stays(files, folder):
    (folder / "d").mkdir(mode=0o711)
    row = do(files, "create", {"path": "d"}, kind="directory")
    assert mode_of(folder / "d") == 0o711
    assert row.attributes["mode"] == "0711"
    do(files, "delete", {}, row, kind="directory")
    assert (folder / "d").is_dir()


def test_a_file_in_place_of_a_directory_is_a_failure(files, folder):
    (folder / "d").write_text("file")
    with pytest.raises(ProviderFailed, match="E3107"):
        do(files, "create", {"path": "d"}, kind="directory")
    with pytest.raises(ProviderFailed, match="E3107"):
        do(files, "create", {"path": "d/below", "content": ""})


@pytest.mark.parametrize(
    ("config", "codes"),
    [
        ({}, ["E3101", "E3103"]),
        ({"path": "", "content": ""}, ["E3101"]),
        ({"path": 7, "content": ""}, ["E3101"]),
        ({"path": "a\x00b", "content": ""}, ["E3101"]),
        ({"path": "../x", "content": ""}, ["E3101"]),
        ({"path": "a/../../stack-2/x", "content": ""}, ["E3101"]),
        ({"path": ".", "content": ""}, ["E3101"]),
        ({"path": "/", "content": ""}, ["E3101"]),
        ({"path": "x", "content": 7}, ["E3103"]),
        ({"path": "x", "content": None}, ["E3103"]),
        ({"path": "x", "content": {"a": 1}}, ["E3103"]),
        ({"path": "x", "content": "x" * (4 * 1024 * 1024 + 1)}, ["E3103"]),
        ({"path": "x", "content": "", "mode": 644}, ["E3102"]),
        ({"path": "x", "content": "", "mode": "9"}, ["E3102"]),
        ({"path": "x", "content": "", "mode": "rw-"}, ["E3102"]),
        ({"path": "x", "content": "", "owner": ""}, ["E3103"]),
        ({"path": "x", "content": "", "group": True}, ["E3103"]),
        ({"path": "x", "content": "", "adopt": "yes"}, ["E3103"]),
        ({"path": "../x", "content": 1, "mode": 1, "moed": 1}, ["E3101", "E3102", "E3103", "E3103"]),
    ],
)
def test_every_wrong_property_is_refused_with_its_name(files, config, codes):
    with pytest.raises(Refusal) as caught:
        propose(files, config)
    assert sorted(problem.code for problem in caught.value.problems) == codes
    assert all(problem.label and problem.help for problem in caught.value.problems)


def test_an_absolute_path_may_lie_anywhere(files, tmp_path):
    do(files, "create", {"path": str(tmp_path / "outside"), "content": "x"})
    assert (tmp_path / "outside").read_text() == "x"


def test_a_link_on_the_way_does_not_lead_out_of_the_folder(files, folder, tmp_path):
    (tmp_path / "outside").mkdir()
    (folder / "link").symlink_to(tmp_path / "outside")
    for path in ("link/x", "link/deeper/x"):
        with pytest.raises(ProviderFailed, match="E3101"):
            do(files, "create", {"path": path, "content": "x"})
    assert tree(tmp_path / "outside") == {}


def test_an_unknown_owner_is_a_failure_before_anything_is_written(files, folder):
    with pytest.raises(ProviderFailed, match="E3106"):
        do(files, "create", {"path": "x", "content": "", "owner": "no-such-user"})
    assert tree(folder) == {}


def test_a_full_disk_leaves_what_was_there(files, folder, monkeypatch):
    row = do(files, "create", {"path": "x", "content": "one"})

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ProviderFailed, match=r"E3107.*No space left"):
        do(files, "update", {"path": "x", "content": "two"}, row)
    assert {name: content for name, (_, content) in tree(folder).items()} == {"x": "one"}


def test_abandoning_clears_what_an_interrupted_write_has_left(files, folder):
    (folder / ".dirigent-e1").write_text("half")
    asyncio.run(files.abandon(operation("create", {"path": "x", "content": "whole"})))
    asyncio.run(files.abandon(operation("delete", {"path": "x", "content": "whole"})))
    assert tree(folder) == {}


STEPS = ("mkdir", "open", "fsync", "fchmod", "replace", "unlink", "rmdir", "listdir")


class Dying:
    """Lets the engine die before or after the n-th system call of an operation."""

    def __init__(self, monkeypatch, at, *, after):
        self.left = at
        for name in STEPS:
            monkeypatch.setattr(os, name, self.watched(getattr(os, name), after=after))

    def watched(self, real, *, after):
        def call(*args, **more):
            self.left -= 1
            if self.left == 0 and not after:
                raise Crash
            result = real(*args, **more)
            if self.left == 0:
                if real.__name__ == "open":
                    os.close(result)
                raise Crash
            return result

        return call


STORIES = {
    "file": ("file", {"path": "a/b/x", "content": "one"}, {"path": "a/b/x", "content": "two"}),
    "secret": ("file", {"path": "x", "content": SECRET}, {"path": "x", "content": SECRET, "mode": "0640"}),
    "directory": ("directory", {"path": "a/d"}, {"path": "a/d", "mode": "0700"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("story", STORIES)
def test_a_crash_at_any_system_call_and_the_same_order_again_end_as_the_calm_run(
    tmp_path, monkeypatch, story, after
):
    kind, first, second = STORIES[story]
    calm = live(tmp_path / "calm", kind, (first, second), monkeypatch)
    deaths = 0
    for phase in ("create", "update", "delete"):
        for at in range(1, 100):
            place = tmp_path / f"{phase}-{at}"
            ended = live(place, kind, (first, second), monkeypatch, dies=(phase, at), after=after)
            if ended is None:
                break
            deaths += 1
            assert ended == calm, f"{phase}, call {at}"
    assert deaths > 10


def live(place, kind, configs, monkeypatch, *, dies=("", 0), after=False):
    """Create, update and delete; die once, come back as another engine. Returns the tree after each phase."""
    place.mkdir()
    files = FilesProvider(str(place), OpenVault())
    row, seen = None, []
    dying = None
    for number, (phase, config) in enumerate(
        [("create", configs[0]), ("update", configs[1]), ("delete", configs[1])]
    ):
        told = {"kind": kind, "effect": f"e{number}"}
        try:
            with monkeypatch.context() as patch:
                if phase == dies[0]:
                    dying = Dying(patch, dies[1], after=after)
                made = do(files, phase, config, row, **told)
        except Crash:
            files = FilesProvider(str(place), OpenVault())
            made = do(files, phase, config, row, **told, doubtful=True)
        row = made
        seen.append((tree(place), str(row.attributes).replace(str(place), "") if row else ""))
    return None if dying and dying.left > 0 else seen


def test_the_planted_fault_of_a_write_in_place_is_seen(tmp_path, monkeypatch):
    def in_place(path, content, mode, owners, effect):
        with Path(path).open("wb") as file:
            file.write(content[:1])
            os.fsync(file.fileno())
            file.write(content[1:])

    monkeypatch.setattr("dirigent.providers.files.disk.write_whole", in_place)
    place = tmp_path / "x"
    place.mkdir()
    config = {"path": "x", "content": "whole"}
    with monkeypatch.context() as patch:
        Dying(patch, 1, after=True)
        with pytest.raises(Crash):
            do(FilesProvider(str(place), OpenVault()), "create", config)
    with pytest.raises(ProviderFailed, match="E3104"):
        do(FilesProvider(str(place), OpenVault()), "create", config, doubtful=True)
