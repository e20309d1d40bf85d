"""Archives: what a hostile one tries is refused before anything lies outside its folder."""

import io
import stat
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from dirigent.model import limits
from dirigent.providers.tofu.finding.disk.archive import BadArchive, content_in, unpack
from dirigent.providers.tofu.finding.disk.hashes import content_of
from providers.tofu.finding.samples import FILES, archive, h1


def member(name, content=b"x", mode=0, flags=0):
    """An archive with one odd file beside the usual ones."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as into:
        for each, text in FILES.items():
            into.writestr(each, text)
        odd = zipfile.ZipInfo(name)
        odd.external_attr = mode << 16
        into.writestr(odd, content, zipfile.ZIP_DEFLATED)
    found = bytearray(whole.getvalue())
    if flags:
        at = found.rindex(b"PK\x01\x02")
        found[at + 8] |= flags
    return bytes(found)


def test_an_archive_becomes_the_folder_whose_hash_it_has(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(archive({**FILES, "docs/a.md": b"a"}))
    (tmp_path / "out").mkdir()
    content = unpack(path, tmp_path / "out")
    assert content == content_in(path) == content_of(tmp_path / "out")
    assert content.h1 == h1({**FILES, "docs/a.md": b"a"})
    modes = {
        each.name: stat.S_IMODE(each.stat().st_mode)
        for each in (tmp_path / "out").iterdir()
        if each.is_file()
    }
    assert modes == {"terraform-provider-thing_v1.2.0": 0o755, "LICENSE": 0o644}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (member("../outside"), "leads out"),
        (member("a/../../outside"), "leads out"),
        (member("/outside"), "leads out"),
        (member("a//b"), "leads out"),
        (member("..\\outside"), "leads out"),
        (member("link", b"/etc/passwd", stat.S_IFLNK | 0o777), "not a plain file"),
        (member("pipe", b"", stat.S_IFIFO | 0o666), "not a plain file"),
        (member("secret", flags=1), "in a form"),
        (archive({"only/": b""}), "no files"),
        (archive()[:-40], "no archive that can be read"),
        (archive()[: len(archive()) // 2], "no archive that can be read"),
        (b"", "no archive that can be read"),
        (b"<html>not found</html>", "no archive that can be read"),
        (member("zeroes", bytes(20_000_000)), "would become 200000"),
    ],
)
def test_a_hostile_or_broken_archive_is_refused(tmp_path, content, words):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    (tmp_path / "out").mkdir()
    with pytest.raises(BadArchive, match=words):
        unpack(path, tmp_path / "out")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.zip", "out"]
    with pytest.raises(BadArchive, match=words):
        content_in(path)


def test_a_file_that_is_not_what_its_check_sum_says_is_refused(tmp_path):
    whole = bytearray(archive({"a": b"content that is stored as it is" * 9}))
    at = whole.index(b"PK\x01\x02")
    whole[at + 16] ^= 1
    (tmp_path / "a.zip").write_bytes(whole)
    with pytest.raises(BadArchive, match="CRC"):
        content_in(tmp_path / "a.zip")


def test_two_files_of_one_name_and_too_many_files_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.zip"
    path.write_bytes(archive({"a": b"1", "b": b"2"}).replace(b"b", b"a"))
    with pytest.raises(BadArchive, match="two files of one name"):
        content_in(path)
    monkeypatch.setattr(limits, "PROVIDER_FILES", 1)
    path.write_bytes(archive())
    with pytest.raises(BadArchive, match="holds 2 files"):
        content_in(path)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(some.lists(some.tuples(some.integers(0, 10_000), some.integers(0, 255)), min_size=1, max_size=4))
def test_an_archive_with_any_bytes_changed_is_whole_or_refused(changes):
    """Of the library's own troubles with such bytes nothing gets out."""
    whole = bytearray(archive({**FILES, "docs/a.md": b"abc" * 50}))
    for at, byte in changes:
        whole[-1 - at % len(whole)] = byte
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.zip")
        path.write_bytes(whole)
        try:
            content = content_in(path)
        except BadArchive:
            return
    assert set(content.files) != set()
