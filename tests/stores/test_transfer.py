"""A run as a file: exact, checked, and without a secret."""

import json
from dataclasses import replace

import pytest

from dirigent.model.ids import digest_of
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Created, Ended, Succeeded
from dirigent.model.values import SecretRef, SecretText
from dirigent.stores import codec, transfer
from stores.samples import AT, FACTS, PAY, PROGRAM

DIGEST = digest_of(codec.encode(PROGRAM))
WHOLE = transfer.Transfer("order-7", PROGRAM, [replace(FACTS[0], definition=DIGEST), *FACTS[1:]])


def text_of(moved=WHOLE):
    return transfer.written(moved, "0.1.0")


def refused(text):
    with pytest.raises(Refusal) as caught:
        transfer.read(text, "run.json")
    return caught.value.problems[0].code


def test_every_kind_of_fact_comes_back_as_it_was():
    assert transfer.read(text_of(), "run.json") == WHOLE


def test_the_file_says_what_it_is():
    found = json.loads(text_of())
    assert (found["kind"], found["version"], found["run"], found["release"]) == (
        "dirigent-run", 1, "order-7", "0.1.0",
    )  # fmt: skip
    assert found["definition"]["name"] == PROGRAM.name
    assert [each["fact"] for each in found["facts"]] == [type(fact).__name__ for fact in FACTS]


def test_a_secret_stays_a_reference():
    secret = SecretText(("Bearer ", SecretRef("token")))
    moved = transfer.Transfer("r", PROGRAM, [Created(AT, DIGEST, {"key": secret}), Ended(AT, "completed")])
    assert transfer.read(text_of(moved), "run.json").facts[0].input == {"key": secret}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"kind": "other"}', "[" * 100_000])
def test_what_is_no_export_is_refused(text):
    assert refused(text) == "E5030"


def test_a_later_version_is_refused():
    assert refused(json.dumps({**json.loads(text_of()), "version": 2})) == "E5032"


def test_a_changed_byte_anywhere_is_refused():
    found = json.loads(text_of())
    for change in (
        lambda each: each.update(run="other"),
        lambda each: each["facts"].pop(),
        lambda each: each["facts"].clear(),
        lambda each: each["facts"].reverse(),
        lambda each: each["facts"][3].update(content="AAAA"),
        lambda each: each["facts"][3].update(content="?"),
        lambda each: each["definition"].update(content=each["facts"][0]["content"]),
        lambda each: each.pop("definition"),
        lambda each: each.update(checksum=None),
        lambda each: each.update(facts=[{}]),
    ):
        broken = json.loads(json.dumps(found))
        change(broken)
        assert refused(json.dumps(broken)) == "E5031"


def test_a_journal_of_another_definition_is_refused():
    assert refused(text_of(replace(WHOLE, facts=[Created(AT, "f" * 40, None)]))) == "E5031"
    assert refused(text_of(replace(WHOLE, facts=[Succeeded(AT, PAY, 1, None)]))) == "E5031"
