"""Functions of a provider: typed, pure, called as soon as it makes sense."""

from __future__ import annotations

import pytest

from dirigent.model.problem import Refusal
from dirigent.model.resource import CALL
from dirigent.model.values import OPENED, SecretRef, SecretText, Unknown
from dirigent.providers.tofu.schema.functions import Function, Parameter, arguments, takes
from dirigent.providers.tofu.values.types import NUMBER, STRING
from stores.samples import in_loop

JOIN = Function(STRING, (Parameter("between", STRING),), Parameter("parts", STRING, nullable=True))
EITHER = Function(STRING, (Parameter("a", STRING, takes_unknown=True), Parameter("b", NUMBER)))


def test_arguments_are_brought_into_order_and_made_what_the_parameters_want():
    given = arguments(JOIN, {"parts": ["a", None, 3], "between": "-"})
    assert given.values == ("-", "a", None, "3")
    assert given.names == ("between", "parts[0]", "parts[1]", "parts[2]")
    assert given.odd == ()
    assert arguments(JOIN, {"between": "-"}).values == ("-",)


def test_what_does_not_fit_is_named():
    given = arguments(JOIN, {"parts": "a", "middle": 1})
    assert [str(each) for each in given.odd] == [
        "`middle` is no parameter; there are `between`, `parts`",
        "`between` must be given, and not be null",
        "`parts` takes any number of arguments: give a list",
    ]
    assert [str(each) for each in arguments(EITHER, {"a": [1], "b": "x"}).odd] != []


def test_a_call_waits_for_arguments_of_which_nothing_is_known():
    assert takes(EITHER, {"a": Unknown(), "b": 1})
    assert not takes(EITHER, {"a": "x", "b": Unknown()})
    assert not takes(JOIN, {"between": "-", "parts": Unknown()})
    assert not takes(JOIN, {"between": "-", "parts": ["a", Unknown()]})


@pytest.mark.slow
@pytest.mark.parametrize("version", [5, 6])
@in_loop
async def test_a_function_is_called_as_the_protocol_has_it(world, version):
    async with world(version=version) as provider:

        async def call(name, **given):
            return await provider.look_up(f"{CALL}fixture::{name}", given, later=False)

        found = await call("join", between="-", parts=["a", "b", 3])
        assert (found.attributes, found.deferred) == ({"result": "a-b-3"}, False)
        waits = await call("join", between="-", parts=["a", Unknown()])
        assert (waits.attributes, waits.deferred) == ({"result": Unknown()}, True)
        same = await call("same", value={"a": [1, None]})
        assert same.attributes == {"result": {"a": [1, None]}}
        assert (await call("same", value=None)).attributes == {"result": None}
        assert (await call("same", value=Unknown())).attributes == {"result": Unknown()}
        late = await call("late", between="", parts=["a"])
        assert late.attributes == {"result": "a"}
        assert late.warnings == ("`fixture::late` is deprecated: join by hand",)


@pytest.mark.slow
@in_loop
async def test_what_a_function_refuses_names_its_argument(world):
    secret = SecretText((SecretRef("token"),))
    async with world() as provider:

        async def refused(name, **given):
            with pytest.raises(Refusal) as refusal:
                await provider.look_up(f"{CALL}fixture::{name}", given, later=False)
            return [(each.code, each.label, each.message) for each in refusal.value.problems]

        (found,) = await refused("join", between="-", parts=[secret, ""])
        assert found[:2] == ("E3046", "parts[1]")
        assert "`parts[1]`: an empty part beside" in found[2]
        assert "hunter2" not in found[2]
        assert (await refused("join", between="!", parts=[]))[0][1] == ""
        assert [each[1] for each in await refused("join", parts="a", odd=1)] == ["odd", "between", "parts"]
        ((code, _, words),) = await refused("joim")
        assert code == "E3016"
        assert "`joim`" in words
        fleeting = SecretText((SecretRef(f"{OPENED}abc#password"),))
        assert (await refused("join", between=fleeting))[0][:2] == ("E3045", "between")


@pytest.mark.slow
@in_loop
async def test_a_result_that_holds_a_secret_is_a_secret(world):
    secret = SecretText((SecretRef("token"),))
    async with world() as provider:
        found = await provider.look_up(
            f"{CALL}fixture::join", {"between": "-", "parts": ["a", secret]}, later=False
        )
        assert str(found.attributes["result"]) == "(sensitive)"


@pytest.mark.slow
@in_loop
async def test_a_provider_that_cannot_be_configured_yet_has_its_functions_all_the_same(world):
    async with world(region=Unknown()) as provider:
        found = await provider.look_up(f"{CALL}fixture::join", {"between": "-", "parts": ["a"]}, later=True)
        assert found.attributes == {"result": "a"}
        # What it tells only once it is configured has to wait.
        late = await provider.look_up(f"{CALL}fixture::late", {"between": "-"}, later=True)
        assert late.deferred
