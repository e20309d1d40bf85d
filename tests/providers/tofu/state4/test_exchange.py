"""Where an export goes on: lineage, serial, what only the file knows; and the files themselves."""

import asyncio
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from dirigent.app.states import files
from dirigent.app.states.ancestry import Ancestry, ancestry, record
from dirigent.app.states.exchange import export_to
from dirigent.app.states.requests import Target
from dirigent.model.ids import Address
from dirigent.model.problem import Refusal
from dirigent.model.resource import ResourceRow
from dirigent.model.stack import Stack
from providers.tofu.state4.states import NULL, entry, instance, state

FILE = ResourceRow(Address("note"), "note", "file", {}, {"path": "/x"})
KNOWN = Ancestry("f16b75d9-9cc0-c8e0-2c06-762e6c078005", 9, registry="registry.terraform.io")


def export(known=None, rows=(), **target):
    stack = Stack("s", "", providers={"null": NULL})
    return asyncio.run(export_to(list(rows), stack, {}, known, Target(**target)))


def refused(*args, **more):
    with pytest.raises(Refusal) as caught:
        export(*args, **more)
    return caught.value.problems


def test_without_any_past_a_lineage_begins():
    one, other = export(), export()
    found = json.loads(one.text)
    assert (found["version"], found["serial"], found["resources"]) == (4, 1, [])
    assert one.ancestry.lineage == found["lineage"]
    assert one.ancestry.lineage != other.ancestry.lineage


def test_a_known_lineage_goes_on_with_a_higher_serial():
    found = export(KNOWN)
    assert json.loads(found.text)["serial"] == 10
    assert found.ancestry == replace(KNOWN, serial=10, terraform="1.0.0")


@pytest.mark.parametrize(("known", "serial"), [(None, 7), (KNOWN, 10), (replace(KNOWN, serial=3), 7)])
def test_a_file_goes_on_with_what_only_it_knows(known, serial):
    outputs = {"o": {"value": "x", "type": "string"}}
    looked_up = entry("d", instance(), type="null_data_source", mode="data")
    before = state(looked_up, outputs=outputs)
    # Something must have changed: else nothing is written at all.
    changed = state(looked_up, entry("gone", instance()), outputs=outputs)
    found = json.loads(export(known, before=changed, replacing=True).text)
    assert (found["serial"], found["outputs"], len(found["resources"])) == (serial, outputs, 1)
    assert export(known, before=before).text == ""


def test_a_file_that_would_lose_something_is_refused_unless_that_is_wanted():
    (problem,) = refused(before=state(*(entry(name, instance()) for name in "abcde")))
    assert (problem.code, "`null_resource.a`" in problem.message) == ("E3062", True)
    assert "and 2 more" in problem.message
    (problem,) = refused(replace(KNOWN, lineage="another"), before=state())
    assert problem.code == "E3062"
    (problem,) = refused(before=b"notes of mine")
    assert problem.code == "E3062"
    assert json.loads(export(KNOWN, before=b"notes of mine", replacing=True).text)["serial"] == 10
    other = export(replace(KNOWN, lineage="another"), before=state(), replacing=True)
    assert json.loads(other.text)["lineage"] == "another"


def test_what_is_ours_is_counted_and_left_out_and_a_lost_provider_is_named():
    assert export(rows=[FILE, replace(FILE, address=Address("b"))]).left_out == {"file": 2}
    lost = replace(FILE, type="box_item", provider="box", private={"source": "example.com/acme/box"})
    (problem,) = refused(rows=[lost])
    assert (problem.code, "`note`" in problem.message) == ("E3055", True)


def test_names_that_an_import_was_given_are_remembered_and_others_may_be_given():
    known = replace(KNOWN, names={"ours": "null_resource.theirs"})
    assert export(known).ancestry.names == {"ours": "null_resource.theirs"}
    found = export(known, names=["null_resource.other=ours", "null_resource.x=y"]).ancestry
    assert found.names == {"ours": "null_resource.other", "y": "null_resource.x"}


def test_what_is_recorded_is_read_again(tmp_path):
    place = str(tmp_path / "state" / "lineage.json")
    assert ancestry(place) is None
    record(place, replace(KNOWN, names={"a": "null_resource.b"}))
    assert ancestry(place) == replace(KNOWN, names={"a": "null_resource.b"})
    for rubbish in ("", "{}", "[]", '{"lineage": 1}'):
        Path(place).write_text(rubbish)
        with pytest.raises(Refusal) as caught:
            ancestry(place)
        assert caught.value.problems[0].code == "E3064"


def test_a_state_is_written_for_nobody_else_and_what_was_there_stays_beside_it(tmp_path):
    place = tmp_path / "terraform.tfstate"
    place.write_text("before")
    place.chmod(0o644)
    files.write(str(place), "after")
    beside = tmp_path / "terraform.tfstate.backup"
    assert (place.read_text(), beside.read_text()) == ("after", "before")
    assert [stat.S_IMODE(each.stat().st_mode) for each in (place, beside)] == [0o600, 0o600]
    assert sorted(each.name for each in tmp_path.iterdir()) == [place.name, beside.name]


def test_a_file_that_cannot_be_read_or_written_is_refused_with_the_reason(tmp_path):
    for work in (lambda: files.read(str(tmp_path)), lambda: files.write(str(tmp_path / "no/where"), "x")):
        with pytest.raises(Refusal) as caught:
            work()
        assert caught.value.problems[0].code == "E3064"
    with pytest.raises(Refusal):
        files.write(str(tmp_path / "odd"), "\ud800")
    assert list(tmp_path.iterdir()) == []
