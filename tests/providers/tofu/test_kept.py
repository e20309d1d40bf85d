"""Schemas of a provider on disk: what comes back is what was kept, and what is not whole is not there."""

import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from dirigent.providers.tofu.schema.kept import FORM, Kept, Shelf
from dirigent.providers.tofu.schema.shape import Block, Schema
from dirigent.providers.tofu.schema.written import read_schema, write_schema
from providers.tofu.schemas import SCHEMAS
from providers.tofu.shapes import BOX

DIGEST = "ab" * 32
KEPT = Kept(
    Schema(0, Block()),
    {"fixture_box": Schema(2, BOX), "fixture_a": Schema(0, Block())},
    {"fixture_box": Schema(0, Block())},
    {},
    {"twice": Schema(0, BOX)},
)


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "cache" / "schemas")


@given(SCHEMAS)
@settings(max_examples=40, derandomize=True, deadline=None)
def test_a_schema_that_was_written_is_read_as_it_was(schema):
    assert read_schema(json.loads(json.dumps(write_schema(schema)))) == schema


def test_what_was_kept_is_found(shelf):
    assert shelf.find(DIGEST) is None
    shelf.keep(DIGEST, KEPT)
    found = shelf.find(DIGEST)
    assert found is not None
    assert found.provider == KEPT.provider
    assert dict(found.resources) == KEPT.resources
    assert (dict(found.sources), dict(found.ephemerals)) == (KEPT.sources, {})
    assert dict(found.functions) == KEPT.functions
    assert shelf.find("cd" * 32) is None
    assert [each.name for each in shelf.folder.iterdir()] == [f"{DIGEST}.schemas"]


def test_types_are_parsed_when_they_are_looked_up(shelf):
    shelf.keep(DIGEST, KEPT)
    found = shelf.find(DIGEST)
    assert (list(found.resources), len(found.resources)) == (["fixture_box", "fixture_a"], 2)
    assert found.resources["fixture_box"] is found.resources["fixture_box"]
    assert found.resources.get("fixture_x") is None


def test_what_is_cut_off_anywhere_is_not_there(shelf):
    shelf.keep(DIGEST, KEPT)
    file = shelf.folder / f"{DIGEST}.schemas"
    whole = file.read_bytes()
    for end in (*range(0, len(whole), 61), len(whole) - 1):
        file.write_bytes(whole[:end])
        assert shelf.find(DIGEST) is None, end
    file.write_bytes(whole)
    assert shelf.find(DIGEST) is not None


@given(some.binary(max_size=40), some.integers(0, 60))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_rubbish_is_not_there(tmp_path_factory, rubbish, at):
    shelf = Shelf(tmp_path_factory.mktemp("cache"))
    shelf.keep(DIGEST, KEPT)
    file = shelf.folder / f"{DIGEST}.schemas"
    whole = file.read_bytes()
    for spoilt in (rubbish, rubbish + whole, whole[:at] + rubbish + whole[at:]):
        if spoilt != whole:
            file.write_bytes(spoilt)
            assert shelf.find(DIGEST) is None


@pytest.mark.parametrize("change", [{"provider": 3}, {"resources": [1]}, {"resources": {"a": 1}}])
def test_a_file_that_lies_about_itself_is_not_there(shelf, change):
    shelf.keep(DIGEST, KEPT)
    file = shelf.folder / f"{DIGEST}.schemas"
    _, head, body = file.read_bytes().split(b"\n", maxsplit=2)
    rest = json.dumps({**json.loads(head), **change}).encode() + b"\n" + body
    file.write_bytes(b"%d %08x\n" % (FORM, zlib.crc32(rest)) + rest)
    assert shelf.find(DIGEST) is None


def test_a_file_of_another_form_is_not_there(shelf):
    shelf.keep(DIGEST, KEPT)
    file = shelf.folder / f"{DIGEST}.schemas"
    file.write_bytes(b"%d" % (FORM + 1) + file.read_bytes()[1:])
    assert shelf.find(DIGEST) is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    (tmp_path / "file").write_text("")
    shelf = Shelf(tmp_path / "file" / "schemas")
    shelf.keep(DIGEST, KEPT)
    assert shelf.find(DIGEST) is None


def test_a_name_that_is_no_digest_is_no_path(shelf):
    with pytest.raises(ValueError, match="SHA-256"):
        shelf.find("../../secret")


@pytest.mark.parametrize(
    "spoilt", [{}, [], {"version": "1", "block": {}}, {"version": 1, "block": {"blocks": 1}}]
)
def test_what_is_no_schema_is_refused(spoilt):
    with pytest.raises((KeyError, TypeError)):
        read_schema(spoilt)
