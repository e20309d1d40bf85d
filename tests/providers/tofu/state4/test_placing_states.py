"""Which of our resources the objects of a state become, and what is refused before anything is written."""

from dataclasses import replace

import pytest

from dirigent.model.problem import Refusal
from dirigent.model.resource import Lifecycle, Resource
from dirigent.providers.tofu.state4.document import origin_of
from dirigent.providers.tofu.state4.giving import Giving, given
from dirigent.providers.tofu.state4.placing import same_source, split_names
from dirigent.providers.tofu.state4.reading import read_document
from dirigent.providers.tofu.state4.taking import taken
from providers.tofu.state4.states import (
    BOXES,
    NULL,
    NULL_SCHEMA,
    SPARE,
    declared,
    entry,
    hide,
    instance,
    reveal,
    schema_of,
    secrets,
    state,
)


def resource(name, kind="null_resource", provider="null", **more):
    return Resource(name, kind, {}, provider=provider, **more)


def rows(content, stack):
    return {str(row.address): row for row in taken(read_document(content), stack, schema_of, hide).rows}


def refused(content, stack):
    with pytest.raises(Refusal) as caught:
        rows(content, stack)
    return caught.value.problems


BOX = 'provider["example.com/acme/box"]'
ODD = {"attributes": {"secret": "hush", "name": "n"}, "schema_version": 2}


def test_a_resource_is_found_by_its_name_and_type():
    found = rows(state(entry("a", instance(index_key=0), instance(index_key=1))), declared(resource("a")))
    assert list(found) == ["a[0]", "a[1]"]
    row = found["a[0]"]
    assert (row.type, row.provider, row.key, row.tainted, row.protect) == (
        *("null_resource", "null", 0, False, False),
    )
    assert row.attributes == {"id": "5577006791947779410", "triggers": {"a": "1"}}
    assert row.config == {"triggers": {"a": "1"}}
    assert row.private == {
        "source": "registry.opentofu.org/hashicorp/null",
        "version": 0,
        "private": hide("bnVsbA=="),
        "sensitive": [],
    }


@pytest.mark.parametrize("name", ["web_server", "web-server", "null_resource-web_server"])
def test_underscores_may_be_dashes_here_and_the_type_may_stand_before_the_name(name):
    assert list(rows(state(entry("web_server", instance())), declared(resource(name)))) == [name]


def test_two_types_with_one_name_are_told_apart_by_the_type():
    content = state(
        entry("a", instance()),
        entry("a", {**instance(), **ODD}, type="box_item", provider=BOX),
    )
    stack = declared(resource("a"), resource("box_item-a", "box_item", "box"), providers=(NULL, BOXES))
    assert list(rows(content, stack)) == ["a", "box_item-a"]


def test_a_name_that_is_given_counts_before_all_others():
    names = split_names(["null_resource.a=first", "null_resource.b=a"])
    content = state(entry("a", instance()), entry("b", instance()))
    stack = declared(resource("first"), resource("a"), names=names)
    assert list(rows(content, stack)) == ["a", "first"]
    found = taken(read_document(content), stack, schema_of, hide)
    assert found.names == {"first": "null_resource.a", "a": "null_resource.b"}


def test_two_that_want_one_name_are_refused():
    content = state(entry("a", instance()), entry("b", instance()))
    (problem,) = refused(content, declared(resource("a"), names={"null_resource.b": "a"}))
    assert problem.code == "E3059"
    assert "would both become `a`" in problem.message


@pytest.mark.parametrize("given", ["a", "a=b", "null_resource.a=", "=b"])
def test_a_name_that_is_not_given_right_is_refused(given):
    with pytest.raises(Refusal) as caught:
        split_names([given])
    assert caught.value.problems[0].code == "E3059"


def test_a_name_for_what_is_not_there_or_of_another_type_is_refused():
    content = state(entry("a", instance()))
    found = refused(content, declared(resource("a"), names={"null_resource.z": "a"}))
    assert [each.code for each in found] == ["E3059"]
    box = resource("b", "box_item", "box")
    found = refused(content, declared(box, names={"null_resource.a": "b"}, providers=(NULL, BOXES)))
    assert "declares as `box_item`" in found[0].message


def test_what_the_stack_does_not_declare_is_refused_each_by_name():
    content = state(entry("a", instance()), entry("b", instance()))
    found = refused(content, declared())
    assert [each.code for each in found] == ["E3056", "E3056"]
    assert any("--as null_resource.a=NAME" in line for line in found[0].help)


def test_what_the_stack_does_not_declare_is_taken_when_that_is_wanted():
    content = state(
        entry("a", instance()),
        entry("b", instance()),
        entry("b", {**instance(), **ODD}, type="box_item", provider=BOX),
    )
    stack = declared(undeclared=True, providers=(NULL, BOXES))
    assert list(rows(content, stack)) == ["a", "box_item-b", "null_resource-b"]


def test_a_provider_that_is_not_declared_is_refused_with_the_line_to_write():
    (problem,) = refused(state(entry("a", instance())), declared(undeclared=True, providers=()))
    assert problem.code == "E3055"
    assert any("`null: {source: hashicorp/null}`" in line for line in problem.help)


def test_an_alias_means_the_entry_of_that_name():
    content = state(entry("a", {**instance(), **ODD}, type="box_item", provider=f"{BOX}.spare"))
    stack = declared(undeclared=True, providers=(BOXES, SPARE))
    assert rows(content, stack)["a"].provider == "spare"
    (problem,) = refused(content, declared(undeclared=True, providers=(BOXES,)))
    assert problem.code == "E3055"
    assert any("`spare: {of: box}`" in line for line in problem.help)


def test_the_provider_that_the_stack_names_must_be_the_one_that_made_it():
    content = state(entry("a", instance()))
    other = replace(NULL, source="registry.opentofu.org/acme/null")
    (problem,) = refused(content, declared(resource("a"), providers=(other,)))
    assert problem.code == "E3055"


def test_the_public_registries_serve_the_same_providers_and_others_do_not():
    assert same_source("registry.terraform.io/hashicorp/null", "registry.opentofu.org/hashicorp/null")
    assert not same_source("registry.terraform.io/hashicorp/null", "registry.opentofu.org/acme/null")
    assert not same_source("tofu.example/hashicorp/null", "registry.opentofu.org/hashicorp/null")


def test_resources_of_a_module_have_its_name_before_theirs():
    content = state(
        entry("a", instance(), module="module.net.module.inner"),
        entry("a", instance(index_key=0), module='module.net["a/b"].module.inner[0]'),
    )
    stack = declared(resource("net/inner/a"))
    found = rows(content, stack)
    assert list(found) == ["net/inner/a", 'net["a/b"]/inner[0]/a[0]']
    kept = taken(read_document(content), stack, schema_of, hide)
    assert kept.names == {}
    assert [origin_of(row.name, row.type) for row in found.values()] == [
        "module.net.module.inner.null_resource.a",
        'module.net["a/b"].module.inner[0].null_resource.a',
    ]


@pytest.mark.parametrize("module", ["module.net", 'module.net["eu"]', "module.net[0].module.inner"])
def test_a_module_that_the_stack_does_not_have_is_refused_unless_a_name_is_given(module):
    content = state(entry("a", instance(), module=module))
    (problem,) = refused(content, declared(resource("a")))
    assert problem.code == "E3057"
    names = split_names([f"{module}.null_resource.a=a"])
    assert list(rows(content, declared(resource("a"), names=names))) == ["a"]


def test_what_was_only_looked_up_is_counted_and_left_out():
    content = state(
        entry("a", instance(dependencies=["data.null_data_source.d"])),
        entry("d", instance(), type="null_data_source", mode="data"),
        outputs={"o": {"value": 1, "type": "number"}},
    )
    found = taken(read_document(content), declared(resource("a")), schema_of, hide)
    assert (len(found.rows), found.data, found.outputs) == (1, 1, 1)
    assert found.rows[0].needs == ()


def test_dependencies_become_the_addresses_of_all_instances():
    content = state(
        entry("a", instance(index_key=0), instance(index_key=1), instance(index_key=1, deposed="deadbeef")),
        entry("b", instance(dependencies=["null_resource.a"])),
    )
    found = rows(content, declared(resource("a"), resource("b")))
    assert found["b"].needs == ("a[0]", "a[1]")
    assert "a[1]#deposed" in found
    assert found["a[1]#deposed"].private["deposed"] == "deadbeef"


def test_in_modules_dependencies_are_of_what_is_declared_there():
    content = state(
        entry("a", instance(), module='module.net["eu"]'),
        entry("a", instance(), module='module.net["us"]'),
        entry("b", instance(dependencies=["module.net.null_resource.a", "null_resource.none[0]"])),
    )
    document = read_document(content)
    found = taken(document, declared(undeclared=True), schema_of, hide)
    rows = {str(row.address): row for row in found.rows}
    assert rows["b"].needs == ('net["eu"]/a', 'net["us"]/a')
    how = Giving(lambda _: NULL_SCHEMA, reveal, registry="registry.terraform.io")
    (back,) = [each for each in given(found.rows, how, document).document.entries if each.name == "b"]
    assert back.instances[0].dependencies == ("module.net.null_resource.a",)


def test_tainted_deposed_and_protected_objects_stay_what_they_are():
    protected = resource("a", lifecycle=Lifecycle(protect=True))
    content = state(
        entry(
            "a",
            instance(status="tainted", create_before_destroy=True, identity={"id": "1"}),
            instance(deposed="deadbee0"),
            instance(deposed="deadbee1"),
        )
    )
    found = rows(content, declared(protected))
    assert list(found) == ["a", "a#deposed", "a#deposed2"]
    assert (found["a"].tainted, found["a"].protect, found["a#deposed"].protect) == (True, True, False)
    assert (found["a"].create_first, found["a#deposed"].create_first) == (True, False)
    assert found["a"].private["identity"] == {"id": "1"}


def test_what_the_configuration_marked_is_sealed_in_attributes_and_configuration():
    path = [
        {"type": "get_attr", "value": "triggers"},
        {"type": "index", "value": {"value": "a", "type": "string"}},
    ]
    nowhere = [{"type": "get_attr", "value": "nothing"}, {"type": "get_attr", "value": "here"}]
    content = state(entry("a", instance(sensitive_attributes=[path, nowhere, []])))
    row = rows(content, declared(resource("a")))["a"]
    assert secrets(row.attributes) == ["1"]
    assert secrets(row.config) == ["1"]
    assert reveal(row.attributes)["triggers"] == {"a": "1"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"attributes": {"id": "1", "novelty": 1}}, "`novelty` is not known here"),
        ({"attributes": {"id": {"no": "text"}}}, "`id`"),
        ({"attributes": {"triggers": ["hush"]}}, "`triggers`"),
        ({"attributes": {"triggers": "hush"}}, "`triggers`"),
        ({"schema_version": 1}, "later release"),
        ({"type": "null_other"}, "knows no type `null_other`"),
    ],
)
def test_what_does_not_fit_its_provider_is_refused(changes, words):
    kind = changes.pop("type", "null_resource")
    content = state(entry("a", instance(**changes), type=kind))
    (problem,) = refused(content, declared(resource("a", kind)))
    assert problem.code == "E3060"
    assert words in problem.message
    assert "hush" not in problem.message
