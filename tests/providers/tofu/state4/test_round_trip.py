"""A state goes in and comes out again, and nothing of it is lost on the way."""

from dataclasses import replace

from hypothesis import given, settings

from dirigent.providers.tofu.schema.shape import implied
from dirigent.providers.tofu.state4.document import Document, Entry, Instance
from dirigent.providers.tofu.state4.giving import Giving
from dirigent.providers.tofu.state4.giving import given as gave
from dirigent.providers.tofu.state4.reading import read_document
from dirigent.providers.tofu.state4.taking import taken
from dirigent.providers.tofu.state4.writing import write_document
from providers.tofu.state4.states import (
    BOX_SCHEMA,
    BOXES,
    NULL,
    NULL_SCHEMA,
    SOURCE,
    SPARE,
    declared,
    documents,
    hide,
    reveal,
    schema_of,
    secrets,
)

EVERYTHING = declared(providers=(BOXES, SPARE), undeclared=True)


def back(document, found, **more):
    how = Giving(lambda _: BOX_SCHEMA, reveal, found.names, {"spare": "spare"}, **more)
    return gave(found.rows, how, document).document


def sorted_instances(document):
    def order(one):
        return type(one.key).__name__, one.key if isinstance(one.key, int) else 0, str(one.key), one.deposed

    entries = [replace(each, instances=tuple(sorted(each.instances, key=order))) for each in document.entries]
    return replace(
        document, entries=tuple(sorted(entries, key=lambda each: (each.module, each.mode, each.origin)))
    )


@settings(derandomize=True, deadline=None, max_examples=40)
@given(documents())
def test_a_state_is_read_as_it_was_written_and_comes_out_of_rows_as_it_went_in(document):
    assert read_document(write_document(document).encode()) == document
    found = taken(document, EVERYTHING, schema_of, hide)
    assert back(document, found) == sorted_instances(document)
    assert not in_clear(found.rows, document)


def in_clear(rows, document):
    """Return the sensitive values of a state that stand in rows for everybody to see."""
    sensitive = {each for entry in document.managed for one in entry.instances for each in hushed(one)}
    held = [leaf for row in rows for leaf in leaves([row.attributes["secret"], row.attributes["rule"]])]
    held += [leaf for row in rows for leaf in leaves([row.config.get("secret"), row.config.get("rule")])]
    paths = {each for row in rows for rule in row.attributes["rule"] or () if rule for each in open_of(rule)}
    return {leaf for leaf in held if leaf in sensitive} - paths


def hushed(one):
    rules = [rule for rule in one.attributes["rule"] or () if rule]
    return {each for each in (one.attributes["secret"], *(rule["token"] for rule in rules)) if each}


def open_of(rule):
    return {each for each in (rule["path"], rule["key"]) if isinstance(each, str)}


def leaves(value):
    match value:
        case list():
            return [leaf for each in value for leaf in leaves(each)]
        case dict():
            return [leaf for each in value.values() for leaf in leaves(each)]
        case str():
            return [value]
        case _:
            return []


def test_what_no_schema_calls_sensitive_would_be_found_in_clear():
    # The negative control of the property above: without a seal it must object.
    box = dict.fromkeys(implied(BOX_SCHEMA.block).members) | {"secret": "hush", "rule": []}
    one = Instance(box, version=2)
    document = Document("l", 1, (Entry("managed", "box_item", "web", BOXES.source, instances=(one,)),))
    assert in_clear(taken(document, EVERYTHING, schema_of, lambda value: value).rows, document) == {"hush"}
    assert in_clear(taken(document, EVERYTHING, schema_of, hide).rows, document) == set()


def test_an_empty_state_is_a_state():
    empty = Document("a-lineage", 0)
    assert read_document(write_document(empty).encode()) == empty
    assert back(empty, taken(empty, EVERYTHING, schema_of, hide)) == empty


def test_an_older_release_of_the_schema_passes_through_as_it_is():
    one = Instance({"gone": [1, {"b": None}], "secret": "hush"}, version=1)
    document = Document("l", 1, (Entry("managed", "box_item", "web", BOXES.source, instances=(one,)),))
    found = taken(document, EVERYTHING, schema_of, hide)
    assert secrets(found.rows[0].attributes) == ["hush"]
    assert back(document, found) == document


def test_the_registry_is_written_as_it_is_wanted():
    one = Instance({"id": "1", "triggers": None})
    document = Document("l", 1, (Entry("managed", "null_resource", "a", SOURCE, instances=(one,)),))
    found = taken(document, declared(undeclared=True), schema_of, hide)
    how = Giving(lambda _: NULL_SCHEMA, reveal)
    assert gave(found.rows, how, document).document.entries[0].source == NULL.source
    assert back(document, found, registry="registry.terraform.io") == document
    # A registry of one's own is nobody's mirror.
    other = replace(document, entries=(replace(document.entries[0], source="tofu.example/acme/null"),))
    mine = declared(providers=(replace(NULL, source="tofu.example/acme/null"),), undeclared=True)
    assert back(other, taken(other, mine, schema_of, hide), registry="registry.terraform.io") == other
