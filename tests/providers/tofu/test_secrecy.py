"""What of an object may be seen keeps the shape that its schema says, whatever its keys are called."""

import pytest

from dirigent.model.values import Unknown
from dirigent.providers.tofu.lifecycle.proposing import same
from dirigent.providers.tofu.provider.secrecy import Secrecy
from dirigent.providers.tofu.schema.shape import Attribute, Block, Nested, NestedBlock, Nesting
from dirigent.providers.tofu.sealing import Seal, token_of
from dirigent.providers.tofu.values.types import STRING

ROOM = {"area": Attribute("area", STRING, optional=True), "pin": Attribute("pin", STRING, sensitive=True)}


class Empty:
    """A vault without secrets."""

    def redact(self, text):
        return text


@pytest.fixture
def secrecy(tmp_path):
    return Secrecy(Empty(), Seal(str(tmp_path / "key")))


def as_blocks(nesting):
    return Block({}, {"room": NestedBlock("room", Block(ROOM), nesting)})


def as_attribute(nesting):
    return Block({"room": Attribute("room", STRING, nested=Nested(ROOM, nesting))})


@pytest.mark.parametrize("shaped", [as_blocks, as_attribute])
def test_a_map_that_is_empty_or_has_keys_like_attributes_stays_a_map(secrecy, shaped):
    block = shaped(Nesting.MAP)
    assert secrecy.hide(block, {"room": {}}) == {"room": {}}
    assert secrecy.conceal(block, {"room": {}}) == {"room": {}}
    for act in (secrecy.hide, secrecy.conceal):
        found = act(block, {"room": {"area": {"area": "9", "pin": "1234"}, "other": {"pin": None}}})["room"]
        assert found["area"]["area"] == "9"
        assert secrecy.seal.open(token_of(found["area"]["pin"])) == "1234"
        assert found["other"]["pin"] is None


@pytest.mark.parametrize("shaped", [as_blocks, as_attribute])
@pytest.mark.parametrize("nesting", [Nesting.LIST, Nesting.SET, Nesting.SINGLE])
def test_what_is_sensitive_in_any_nesting_is_sealed(secrecy, shaped, nesting):
    room = {"area": "9", "pin": "1234"}
    value = room if nesting is Nesting.SINGLE else [room]
    for act in (secrecy.hide, secrecy.conceal):
        found = act(shaped(nesting), {"room": value})["room"]
        found = found if nesting is Nesting.SINGLE else found[0]
        assert secrecy.seal.open(token_of(found["pin"])) == "1234"


def test_one_block_may_be_written_in_place_of_a_list_of_one(secrecy):
    found = secrecy.conceal(as_blocks(Nesting.LIST), {"room": {"pin": "1234"}})
    assert secrecy.seal.open(token_of(found["room"]["pin"])) == "1234"


def test_what_is_not_known_yet_is_the_same_whatever_it_waits_for():
    waits = Unknown(("base",))
    assert same({"a": [waits, "x"]}, {"a": [Unknown(), "x"]})
    assert not same({"a": [waits]}, {"a": ["x"]})
