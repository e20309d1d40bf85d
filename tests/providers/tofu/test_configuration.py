"""What people write under `with`, against the schema of a provider."""

import pytest

from dirigent.model.values import Unknown
from dirigent.providers.tofu.schema.configuration import configured
from dirigent.providers.tofu.schema.shape import empty, implied, sensitive_paths
from dirigent.providers.tofu.values.coding import decode, encode
from providers.tofu.shapes import BOX

LEAST = {"name": "a"}
OFFER = "`name`, `size`, `tags`, `note`, `secret`, `parts`, `port`, `rule`, `limits`, `group`"


def test_everything_left_out_is_there_and_null():
    found, odd = configured(BOX, LEAST)
    assert not odd
    assert found == {**empty(BOX), "name": "a"}
    assert decode(encode(found, implied(BOX)), implied(BOX)) == found


def test_one_block_may_be_written_without_a_list():
    assert configured(BOX, {**LEAST, "port": {"number": "80"}}) == configured(
        BOX, {**LEAST, "port": [{"number": 80}]}
    )


def test_a_block_that_is_not_known_yet_stays_so():
    found, odd = configured(BOX, {**LEAST, "port": Unknown(), "rule": [Unknown()], "parts": Unknown()})
    assert not odd
    assert (found["port"], found["rule"], found["parts"]) == (Unknown(), [Unknown()], Unknown())


def test_all_that_is_wrong_is_said_at_once():
    _, odd = configured(
        BOX,
        {
            "id": "mine",
            "sise": 3,
            "size": "big",
            "port": [{}, {"number": 1}, {"number": 2}, {"number": 3}],
            "limits": [],
            "parts": {"a": {"kind": True, "x": 1}},
            "group": 7,
        },
    )
    assert sorted(map(str, odd)) == [
        "`group` should be an object of objects",
        "`id` is decided by the provider and cannot be set",
        "`limits` should be an object",
        "`name` must be set",
        "`parts.a.x` is not known here; there are `kind`, `note`",
        "`port[0].number` must be set",
        "`port` may stand at most 3 times",
        f"`sise` is not known here; there are {OFFER}",
        "`size` should be a number, not `big`",
    ]


@pytest.mark.parametrize("value", [[1], "text", [["a"]]])
def test_what_is_no_object_is_no_block(value):
    _, odd = configured(BOX, {**LEAST, "port": value})
    assert len(odd) == 1


def test_sensitive_attributes_are_found_wherever_they_stand():
    assert set(sensitive_paths(BOX)) == {("secret",), ("rule", "token")}
