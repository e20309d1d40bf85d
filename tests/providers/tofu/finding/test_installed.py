"""What may be started: what is locked, with the content that is locked, and nothing else."""

import shutil
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from dirigent.model.problem import Refusal
from dirigent.providers.tofu.finding.disk.hashes import content_of, digest_of
from dirigent.providers.tofu.finding.installed import Installed, installed
from dirigent.providers.tofu.finding.places import places_of
from providers.tofu.finding.samples import (
    FILES,
    PLATFORM,
    PROGRAM,
    SOURCE,
    archive,
    h1,
    lock,
    packed,
    places,
    setup,
    unpacked,
    zh,
)

NAME = "terraform-provider-thing_v1.2.0"


def codes(refused):
    return [each.code for each in refused.value.problems]


def test_the_hash_of_a_folder_is_that_of_the_definition(tmp_path):
    folder = unpacked(tmp_path, files={**FILES, "docs/b.md": b"b", "docs/a.md": b"", "Z": b"z"})
    assert content_of(folder).h1 == h1({**FILES, "docs/b.md": b"b", "docs/a.md": b"", "Z": b"z"})
    # One that the tools of the shell gave: `sha256sum a b | sha256sum | cut -c1-64 | xxd -r -p | base64`.
    plain = unpacked(tmp_path / "plain", files={"a": b"", "b": b"b\n"})
    assert content_of(plain).h1 == "h1:CbamCiC9yBSM1KHAQuyOaW8P3G8ISl/7ukzNs1QuN4s="


def test_what_is_locked_is_found_in_the_cache_and_in_mirrors(tmp_path):
    found = places(tmp_path)
    lock(found.folder, h1())
    in_mirror = unpacked(found.mirrors[0])
    assert installed(setup("~> 1.2"), found) == Installed(
        SOURCE, "1.2.0", in_mirror / NAME, digest_of(in_mirror / NAME)
    )
    in_cache = unpacked(found.cache)
    assert installed(setup(), found).program == in_cache / NAME


@pytest.mark.parametrize("hashes", [lambda: zh(archive()), h1])
def test_an_archive_in_a_mirror_is_unpacked_into_the_cache(tmp_path, hashes):
    found = places(tmp_path)
    lock(found.folder, hashes())
    packed(found.mirrors[0])
    first = installed(setup(), found)
    assert first.program == found.cache / SOURCE / "1.2.0" / PLATFORM / NAME
    assert first.program.read_bytes() == PROGRAM
    assert installed(setup(), found) == first
    assert [each.name for each in (found.cache / SOURCE / "1.2.0").iterdir()] == [PLATFORM]


def test_a_change_after_the_lock_is_found_at_the_next_start(tmp_path):
    found = places(tmp_path)
    lock(found.folder, h1())
    program = unpacked(found.cache) / NAME
    installed(setup(), found)
    before = program.stat()
    program.write_bytes(PROGRAM.replace(b"0", b"1"))
    with pytest.raises(Refusal) as refused:
        installed(setup(), found)
    assert codes(refused) == ["E3026"]
    assert program.stat().st_size == before.st_size


@pytest.mark.parametrize("name", ["beside", "docs/more"])
def test_a_file_more_is_another_content(tmp_path, name):
    found = places(tmp_path)
    lock(found.folder, h1())
    unpacked(found.cache, files={**FILES, name: b""})
    with pytest.raises(Refusal) as refused:
        installed(setup(), found)
    assert codes(refused) == ["E3026"]


def test_a_link_in_place_of_a_file_is_refused(tmp_path):
    found = places(tmp_path)
    lock(found.folder, h1())
    program = unpacked(found.cache) / NAME
    program.rename(tmp_path / "elsewhere")
    program.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refusal) as refused:
        installed(setup(), found)
    assert codes(refused) == ["E3026"]
    assert "not a plain file" in str(refused.value)


def test_another_archive_than_the_locked_one_is_refused_and_a_good_one_beside_it_taken(tmp_path):
    found = places(tmp_path, mirrors=(tmp_path / "bad", tmp_path / "good"))
    lock(found.folder, h1())
    packed(tmp_path / "bad", content=archive({**FILES, NAME: b"#!/bin/sh\nevil\n"}))
    with pytest.raises(Refusal) as refused:
        installed(setup(), found)
    assert codes(refused) == ["E3026"]
    packed(tmp_path / "good")
    assert installed(setup(), found).program.read_bytes() == PROGRAM


def test_what_is_not_locked_or_not_here_says_which_command_helps(tmp_path):
    found = places(tmp_path)
    unpacked(found.mirrors[0])
    with pytest.raises(Refusal) as refused:
        installed(setup(), found)
    assert codes(refused) == ["E3023"]
    assert "dirigent providers lock" in refused.value.problems[0].help[0]
    lock(found.folder, h1(), version="1.3.0")
    with pytest.raises(Refusal) as refused:
        installed(setup(), found)
    assert codes(refused) == ["E3025"]
    with pytest.raises(Refusal) as refused:
        installed(setup("~> 1.2.0"), found)
    assert codes(refused) == ["E3024"]


def test_another_platform_is_not_taken_for_this_one(tmp_path):
    found = places(tmp_path)
    lock(found.folder, h1())
    unpacked(found.mirrors[0], platform="darwin_arm64")
    packed(found.mirrors[0], platform="darwin_arm64")
    with pytest.raises(Refusal) as refused:
        installed(setup(), found)
    assert codes(refused) == ["E3025"]


def test_a_program_stands_in_place_of_a_provider(tmp_path):
    found = places(tmp_path)
    program = found.folder / "bin" / "mine"
    program.parent.mkdir()
    program.write_bytes(PROGRAM)
    program.chmod(0o755)
    expected = Installed("./bin/mine", "local", program, digest_of(program))
    assert installed(setup(source="./bin/mine"), found) == expected
    named = places(tmp_path, programs={"THING_TWO": str(program)})
    assert installed(setup(name="thing-two"), named).program == program
    assert installed(setup(name="west", of="thing-two"), named).program == program
    with pytest.raises(Refusal) as refused:
        installed(setup(name="other"), named)
    assert codes(refused) == ["E3023"]


def test_the_environment_says_where_to_look(tmp_path):
    found = places_of(
        tmp_path,
        {
            "DIRIGENT_PROVIDERS": "/srv/a, b ,https://mirror.example/x",
            "DIRIGENT_PROVIDER_THING": "bin/x",
            "HOME": "/home/me",
        },
    )
    assert found.mirrors == (tmp_path / "providers", tmp_path / "/srv/a", tmp_path / "b")
    assert found.webs == ("https://mirror.example/x/",)
    assert found.program(setup()) == tmp_path / "bin" / "x"
    assert str(found.cache) == "/home/me/.cache/dirigent/providers"
    assert str(places_of(tmp_path, {"XDG_CACHE_HOME": "/c"}).cache) == "/c/dirigent/providers"
    assert str(places_of(tmp_path, {"DIRIGENT_CACHE": "/d"}).cache) == "/d/providers"
    with pytest.raises(Refusal) as refused:
        places_of(tmp_path, {"DIRIGENT_PROVIDERS": "http://mirror.example/"})
    assert codes(refused) == ["E3038"]


def test_a_program_is_named_from_the_root_wherever_the_stack_is_named_from(tmp_path, monkeypatch):
    found = places(tmp_path)
    lock(found.folder, h1())
    unpacked(found.mirrors[0])
    monkeypatch.chdir(found.folder)
    for environment in ({"HOME": str(tmp_path)}, {"HOME": "."}):
        here = replace(places_of(Path(), environment), platform=PLATFORM)
        assert installed(setup(), here).program == found.mirrors[0] / SOURCE / "1.2.0" / PLATFORM / NAME
    shutil.rmtree(found.mirrors[0])
    packed(found.mirrors[0])
    assert installed(setup(), here).program.is_absolute()


def elf(machine=62, loader=b""):
    """The head of a program of 64 bits, with a loader if one is named."""
    head = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, *[0] * 3, 56, 1, 0, 0, 0)
    )
    kind = 3 if loader else 1
    return head + struct.pack("<IIQQQQQQ", kind, 4, 120, 0, 0, len(loader), len(loader), 1) + loader


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (None, 0, "is not there"),
        (PROGRAM, 0o644, "may not be executed; `chmod +x"),
        (b"", 0o755, "is empty"),
        (b"#!/not/there/sh\n", 0o755, "is a script for `/not/there/sh`"),
        (elf(183), 0o755, "is made for arm64, and this machine is amd64"),
        (elf(2), 0o755, "is made for another processor"),
        (elf(loader=b"/lib/ld-nowhere.so.1\0"), 0o755, "is linked to `/lib/ld-nowhere.so.1`"),
    ],
)
def test_what_cannot_run_here_says_why(tmp_path, content, mode, words):
    found = places(tmp_path)
    program = found.folder / "mine"
    if content is not None:
        program.write_bytes(content)
        program.chmod(mode)
    with pytest.raises(Refusal) as refused:
        installed(setup(source="./mine"), found)
    assert codes(refused) == ["E3027"]
    assert words in str(refused.value)


@pytest.mark.parametrize("content", [elf(), elf(3), elf(loader=b"/\0"), b"\x7fELF", b"MZ"])
def test_what_may_run_is_left_to_the_system(tmp_path, content):
    found = places(tmp_path)
    (found.folder / "mine").write_bytes(content)
    (found.folder / "mine").chmod(0o755)
    assert installed(setup(source="./mine"), found).version == "local"


@pytest.mark.parametrize(
    "files",
    [
        {"readme": b"x"},
        {"terraform-provider-things": PROGRAM},
        {NAME: PROGRAM, "terraform-provider-thing": PROGRAM},
    ],
)
def test_a_folder_without_one_program_is_none_of_a_provider(tmp_path, files):
    found = places(tmp_path)
    lock(found.folder, h1(files))
    unpacked(found.cache, files=files)
    with pytest.raises(Refusal) as refused:
        installed(setup(), found)
    assert codes(refused) == ["E3027"]
