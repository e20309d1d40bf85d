"""Real providers: what their own description says of the protocol, and the life of an object."""

import pytest

from dirigent.providers.tofu.lifecycle.cycle import carry_out, intend, intend_end, look
from dirigent.providers.tofu.lifecycle.session import Refused, opened
from dirigent.providers.tofu.schema.shape import implied
from dirigent.providers.tofu.values.types import read_type, write_type
from dirigent.providers.tofu.wire import calls
from dirigent.providers.tofu.wire.messages import table
from providers.tofu.reflection import compared, described, messages_of
from providers.tofu.shapes import given_of
from stores.samples import in_loop

pytestmark = pytest.mark.slow


@in_loop
async def test_a_null_resource_lives(real):
    async with real("null") as session:
        config = given_of(session, "null_resource", {"triggers": {"a": 1}})
        intention = await intend(session, "null_resource", None, config)
        made = await carry_out(session, intention, intention.change.planned)
        assert made.standing.state["triggers"] == {"a": "1"}
        assert made.standing.state["id"].isdecimal()
        seen = await look(session, "null_resource", 0, made.standing)
        assert (await intend(session, "null_resource", seen, config)).nothing
        other = given_of(session, "null_resource", {"triggers": {"a": 2}})
        assert (await intend(session, "null_resource", seen, other)).replaces == (("triggers",),)
        gone = await carry_out(session, await intend_end(session, "null_resource", seen))
        assert gone.standing is None


@in_loop
async def test_a_data_source_is_read(real):
    async with real("null") as session:
        config = {
            "has_computed_default": None,
            "id": None,
            "inputs": {"x": "y"},
            "outputs": None,
            "random": None,
        }
        found = await session.look_up("null_data_source", config)
        assert found["outputs"] == {"x": "y"}


COUNTS = [("null", 1, 1), ("lxd", 10, 0), ("vsphere", 39, 23)]


@pytest.mark.parametrize(("name", "resources", "sources"), COUNTS)
@in_loop
async def test_every_type_of_a_provider_is_understood(bare, name, resources, sources):
    async with bare(name) as connection:
        found = (await opened(connection)).schemas
    assert (len(found.resources), len(found.sources)) == (resources, sources)
    for each in found.resources.values():
        kind = implied(each.block)
        assert read_type(write_type(kind)) == kind


@in_loop
async def test_a_server_that_is_not_there_is_the_reason(real):
    with pytest.raises(Refused, match=r"127\.0\.0\.1:1"):
        async with real("vsphere", user="a", password="b", vsphere_server="127.0.0.1:1"):
            pass


@in_loop
async def test_a_container_that_cannot_be_made_is_refused_with_its_reason(real):
    async with real("lxd") as session:
        config = given_of(session, "lxd_network", {"name": "a"})
        intention = await intend(session, "lxd_network", None, config)
        assert intention.change.planned["name"] == "a"
        found = await carry_out(session, intention)
        assert found.standing is None
        assert any(each.severe for each in found.said)


@pytest.mark.parametrize("name", ["lxd", "vsphere"])
@in_loop
async def test_the_numbers_of_our_table_are_those_of_the_provider_itself(bare, name):
    """Each serves its own description, made from the definitions of the protocol."""
    async with bare(name) as connection:
        file = await described(connection)
    theirs, seen, count = messages_of(file), set(), 0
    ours = {method.older or method.name: method for method in calls.METHODS}
    for method in file.service[0].method:
        if mine := ours.get(method.name):
            count += compared(mine.request, method.input_type, theirs, table(5), seen)
            count += compared(mine.response, method.output_type, theirs, table(5), seen)
    assert count > 60
