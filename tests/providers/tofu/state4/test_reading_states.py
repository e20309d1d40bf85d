"""What is no state of version 4 is refused with its place, and never half taken."""

import json

import pytest

from dirigent.model import limits
from dirigent.model.problem import Refusal
from dirigent.providers.tofu.state4.document import Step
from dirigent.providers.tofu.state4.reading import read_document
from providers.tofu.state4.states import entry, instance, state


def refused(content):
    with pytest.raises(Refusal) as caught:
        read_document(content)
    return caught.value.problems


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "E3050", "no JSON"),
        (b"<html>", "E3050", "line 1, column 1"),
        (b"\xff\xfe\x00", "E3050", "no JSON"),
        (b"[]", "E3050", "no JSON object"),
        (b"[" * 100_000, "E3050", "nested too deeply"),
        (state(lineage="\ud800"), "E3050", "no Unicode"),
        (b'{"version": 4, "serial": NaN}', "E3050", "`NaN` is no number"),
        (b'{"version": 4, "serial": 1e999}', "E3050", "larger than any number"),
        (b'{"version": 4, "serial": ' + b"9" * 5000 + b"}", "E3050", "no JSON"),
        (b"{}", "E3051", "does not say of which version"),
        (b'{"version": 3, "modules": []}', "E3051", "version `3`"),
        (b'{"version": true}', "E3051", "version `true`"),
        (b'{"version": 5}', "E3051", "version `5`"),
        (state(lineage=""), "E3052", "`lineage`"),
        (state(serial=-1), "E3052", "`serial`"),
        (state(serial="6"), "E3052", "not a text"),
        (state(resources={}), "E3052", "`resources` of the state should be a list, not an object"),
        (state(3), "E3052", "`resources[0]`"),
        (state(entry("a", mode="other")), "E3052", "`resources[0].mode`"),
        (state(entry("a", type="")), "E3052", "`resources[0].type`"),
        (state(entry("a/b")), "E3052", "`resources[0].name`"),
        (state(entry("a", provider="provider.null")), "E3052", "`resources[0].provider`"),
        (state(entry("a", provider='provider["null"]')), "E3052", "`resources[0].provider`"),
        (state(entry("a", instance(index_key=-1))), "E3052", "`resources[0].instances[0].index_key`"),
        (state(entry("a", instance(index_key=1.5))), "E3052", "index_key"),
        (state(entry("a", instance(index_key='a"b'))), "E3052", "without double quotes"),
        (state(entry("a", module="net")), "E3052", "`resources[0].module`"),
        (state(entry("a", module='module.net["a"b"]')), "E3052", "the path of a module"),
        (state(entry("a", instance(index_key=True))), "E3052", "index_key"),
        (state(entry("a", instance(status="odd"))), "E3052", "status"),
        (state(entry("a", instance(attributes=None))), "E3052", "attributes"),
        (state(entry("a", instance(attributes=["hush"]))), "E3052", "not a list"),
        (state(entry("a", instance(dependencies=[1]))), "E3052", "a list of texts"),
        (state(entry("a", instance(create_before_destroy="yes"))), "E3052", "true or false"),
        (state(entry("a", instance(sensitive_attributes=["x"]))), "E3052", "sensitive_attributes[0]"),
        (state(entry("a", instance(sensitive_attributes=[[{}]]))), "E3052", "sensitive_attributes[0][0]"),
        (state(entry("a", instance(attributes=None, attributes_flat={"id": "1"}))), "E3063", "0.12"),
        (state(entry("a", instance(), instance())), "E3054", "`null_resource.a`"),
        (state(entry("a", instance(index_key="x")), entry("a", instance(index_key="x"))), "E3054", '["x"]'),
    ],
)
def test_rubbish_is_refused_with_its_place(content, code, words):
    problem = refused(content)[0]
    assert (problem.code, words in problem.message) == (code, True), problem.message
    assert problem.help
    assert "hush" not in str(problem)


def test_a_state_that_was_cut_off_is_refused_wherever_it_ends():
    whole = state(entry("a", instance()))
    for length in range(len(whole)):
        assert refused(whole[:length])[0].code == "E3050"


def test_a_state_beyond_the_limit_is_not_even_parsed(monkeypatch):
    monkeypatch.setattr(limits, "STATE4_BYTES", 100)
    assert refused(b"{" * 101)[0].code == "E3053"
    assert refused(b"{" * 100)[0].code == "E3050"


def test_objects_that_differ_in_key_or_deposition_are_different_ones():
    found = read_document(
        state(
            entry(
                "a",
                instance(index_key=0),
                instance(index_key="0"),
                instance(index_key=0, deposed="deadbeef"),
                instance(index_key=0, deposed="deadbee0"),
            )
        )
    )
    assert len(found.entries[0].instances) == 4


def test_every_object_that_stands_twice_is_named():
    found = refused(state(entry("a", instance(), instance()), entry("b", instance(), instance())))
    assert ["null_resource.a" in found[0].message, "null_resource.b" in found[1].message] == [True, True]


def test_paths_are_read_and_end_before_the_element_of_a_set():
    paths = [
        [
            {"type": "get_attr", "value": "triggers"},
            {"type": "index", "value": {"value": "s", "type": "string"}},
        ],
        [{"type": "get_attr", "value": "port"}, {"type": "index", "value": {"value": 1, "type": "number"}}],
        [
            {"type": "get_attr", "value": "rule"},
            {"type": "index", "value": {"value": {"token": "hush"}, "type": ["object", {"token": "string"}]}},
            {"type": "get_attr", "value": "token"},
        ],
    ]
    found = read_document(state(entry("a", instance(sensitive_attributes=paths)))).entries[0].instances[0]
    assert found.sensitive == (
        (Step("triggers"), Step("s", index=True)),
        (Step("port"), Step(1, index=True)),
        (Step("rule"),),
    )


def test_what_a_later_release_adds_is_passed_over():
    content = json.loads(state(entry("a", instance(skip_destroy=True, novelty={"x": 1}), each="list")))
    content["novelty"] = 1
    assert len(read_document(json.dumps(content).encode()).entries) == 1


@pytest.mark.parametrize(
    ("provider", "alias", "module"),
    [
        ('provider["registry.terraform.io/hashicorp/null"].west', "west", ""),
        ('module.net.provider["registry.terraform.io/hashicorp/null"]', "", "module.net"),
    ],
)
def test_aliases_of_providers_are_read_also_those_of_modules(provider, alias, module):
    found = read_document(state(entry("a", provider=provider, module=module))).entries[0]
    assert (found.source, found.alias) == ("registry.terraform.io/hashicorp/null", alias)
