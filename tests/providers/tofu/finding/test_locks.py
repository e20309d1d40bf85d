"""The two locks: what is written is read again, and what is no lock is refused with its place."""

import pytest

from dirigent.model.problem import Refusal
from dirigent.providers.tofu.finding.lock.document import read_lock, write_lock
from dirigent.providers.tofu.finding.lock.hcl import read_hcl
from dirigent.providers.tofu.finding.lock.reading import locks_of
from dirigent.providers.tofu.finding.lock.shape import Locked, joined
from providers.tofu.finding.samples import SOURCE, h1, lock, zh

ZH = zh(b"archive")
THEIRS = f"""# This file is maintained automatically.
// and this is a remark, too
provider "{SOURCE}" {{
  version     = "1.1.0"
  constraints = "~> 1.0"
  hashes = [
    "{h1()}", /* ours */
    "{ZH}",
  ]
}}

provider "registry.example/acme/bare" {{
  version = "3.0.0"
}}
"""


def test_a_lock_is_read_as_it_was_written():
    locked = [
        Locked(SOURCE, "1.2.0-rc.1", "~> 1.2", {"linux_amd64": (h1(), ZH), "any": (ZH,)}, "x"),
        Locked("a.example:8443/b/c", "10.0.0", '>= 1, != "2"', {}, "x"),
    ]
    text = write_lock(locked)
    found = read_lock(text.encode(), "x")
    assert found == {
        each.source: Locked(**{**fields(each), "hashes": sorted_hashes(each)}) for each in locked
    }
    assert write_lock(reversed(list(found.values()))) == text
    assert read_lock(write_lock([]).encode(), "x") == {}


def fields(locked):
    return {name: getattr(locked, name) for name in ("source", "version", "constraints", "file")}


def sorted_hashes(locked):
    return {name: tuple(sorted(some)) for name, some in locked.hashes.items()}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "E1104"),
        ("lock: 2\nproviders: {}\n", "E1207"),
        ("lock: 1\n", "E1202"),
        ("lock: 1\nproviders: {x: {version: 1.0.0, hashes: {}}}\n", "E1211"),
        (f"lock: 1\nproviders: {{{SOURCE}: {{version: '1', hashes: {{}}}}}}\n", "E1205"),
        (f"lock: 1\nproviders: {{{SOURCE}: {{version: 1.0.0, hashes: {{any: ['h1:short']}}}}}}\n", "E1205"),
        (f"lock: 1\nproviders: {{{SOURCE}: {{version: 1.0.0, hash: {{}}, hashes: {{}}}}}}\n", "E1203"),
    ],
)
def test_what_is_no_lock_is_refused(text, code):
    with pytest.raises(Refusal) as refused:
        read_lock(text.encode(), "dirigent.lock")
    assert [each.code for each in refused.value.problems] == [code]
    assert refused.value.problems[0].at is not None


def test_the_lock_of_terraform_is_read():
    found = read_hcl(THEIRS, "theirs")
    assert found[SOURCE] == Locked(SOURCE, "1.1.0", "~> 1.0", {"any": tuple(sorted((h1(), ZH)))}, "theirs")
    assert found["registry.example/acme/bare"] == Locked(
        "registry.example/acme/bare", "3.0.0", "", {}, "theirs"
    )
    assert read_hcl("", "theirs") == {}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("resource {}", 1),
        ('\n\nprovider "a/b/c" {\n version = 1\n}', 4),
        ('provider "a/b/c" {', 1),
        ('provider "a/b/c" {\n version = "${x}"\n}', 2),
        ('provider "a/b/c" {\n hashes = [\n"x" "y"]\n}', 3),
        ('provider "../../etc" { version = "1.0.0" }', 1),
        ('provider "a/b/c" { }', 1),
    ],
)
def test_what_no_tool_writes_is_refused_at_its_line(text, line):
    with pytest.raises(Refusal) as refused:
        read_hcl(text, "theirs")
    assert [(each.code, each.at.line) for each in refused.value.problems] == [("E3022", line)]


def test_our_lock_comes_before_that_of_terraform(tmp_path):
    (tmp_path / ".terraform.lock.hcl").write_text(THEIRS)
    assert locks_of(tmp_path)[SOURCE].version == "1.1.0"
    lock(tmp_path, h1())
    found = locks_of(tmp_path)
    assert found[SOURCE].version == "1.2.0"
    assert found["registry.example/acme/bare"].version == "3.0.0"


def test_a_lock_that_cannot_be_read_is_not_taken_for_none(tmp_path):
    (tmp_path / "dirigent.lock").mkdir()
    with pytest.raises(Refusal) as refused:
        locks_of(tmp_path)
    assert refused.value.problems[0].code == "E3022"


def test_a_hash_of_which_the_platform_is_known_is_no_longer_anybodys():
    found = joined({"any": ("a", "b"), "x": ("c",)}, {"y": ("a",), "x": ("d", "c")})
    assert found == {"any": ("b",), "x": ("c", "d"), "y": ("a",)}
    assert joined({"any": ("a",)}, {"y": ("a",)}) == {"y": ("a",)}
