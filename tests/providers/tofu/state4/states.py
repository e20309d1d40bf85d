"""States of version 4, for tests: one as Terraform 1.0.3 wrote it, and any for properties."""

import json

from hypothesis import strategies as some

from dirigent.model.stack import ProviderSetup
from dirigent.model.values import SecretRef, SecretText, Unknown
from dirigent.planning.values.evaluate import without_unknown
from dirigent.providers.tofu.schema.shape import Attribute, Block, Schema, implied
from dirigent.providers.tofu.state4.document import DATA, MANAGED, Document, Entry, Instance, Step
from dirigent.providers.tofu.state4.placing import Declared
from dirigent.providers.tofu.values.conversion import converted
from dirigent.providers.tofu.values.types import STRING, Collection, Kind
from providers.tofu.samples import values
from providers.tofu.shapes import BOX

SOURCE = "registry.terraform.io/hashicorp/null"
NULL = ProviderSetup("null", "registry.opentofu.org/hashicorp/null")
TRIGGERS = Collection(Kind.MAP, STRING)
NULL_SCHEMA = Schema(
    0,
    Block(
        {
            "id": Attribute("id", STRING, computed=True),
            "triggers": Attribute("triggers", TRIGGERS, optional=True),
        }
    ),
)
BOX_SCHEMA = Schema(2, BOX)


def instance(**more):
    """Return an object of the null provider as JSON."""
    return {
        "schema_version": 0,
        "attributes": {"id": "5577006791947779410", "triggers": {"a": "1"}},
        "sensitive_attributes": [],
        "private": "bnVsbA==",
        **more,
    }


def entry(name, *instances, **more):
    """Return a block of a state as JSON."""
    return {
        "mode": "managed",
        "type": "null_resource",
        "name": name,
        "provider": f'provider["{SOURCE}"]',
        "instances": list(instances),
        **more,
    }


def state(*entries, **more):
    """Return a state as bytes."""
    return json.dumps(
        {
            "version": 4,
            "terraform_version": "1.0.3",
            "serial": 6,
            "lineage": "f16b75d9-9cc0-c8e0-2c06-762e6c078005",
            "outputs": {},
            "resources": list(entries),
            **more,
        }
    ).encode()


def hide(value):
    """Return a seal that anybody can open; what is no leaf has one for each of its leaves."""
    match value:
        case None | SecretText():
            return value
        case list():
            return [hide(each) for each in value]
        case dict():
            return {name: hide(each) for name, each in value.items()}
        case _:
            return SecretText((SecretRef(f"sealed:{json.dumps(value)}"),))


def reveal(value):
    """Return what `hide` hid."""
    match value:
        case SecretText(parts=(SecretRef(name=name),)):
            return json.loads(name.removeprefix("sealed:"))
        case list():
            return [reveal(each) for each in value]
        case dict():
            return {name: reveal(each) for name, each in value.items()}
        case _:
            return value


def secrets(value):
    """Return every secret in a value, opened."""
    match value:
        case SecretText():
            return [reveal(value)]
        case list():
            return [found for each in value for found in secrets(each)]
        case dict():
            return [found for each in value.values() for found in secrets(each)]
        case _:
            return []


def schema_of(_setup, name):
    """Return the schemas of the tests' providers."""
    return {"null_resource": NULL_SCHEMA, "box_item": BOX_SCHEMA, "box_lid": BOX_SCHEMA}.get(name)


def declared(*resources, names=None, providers=(NULL,), undeclared=False):
    """Return what a stack declares."""
    setups = {each.name: each for each in providers}
    return Declared({each.name: each for each in resources}, setups, names or {}, undeclared)


BOXES = ProviderSetup("box", "example.com/acme/box")
SPARE = ProviderSetup("spare", "example.com/acme/box", of="box")
WORDS = some.sampled_from(["web", "db", "lid_1", "x"])
KIND = implied(BOX)


def _known(value):
    return converted(without_unknown({} if isinstance(value, Unknown | None) else value), KIND)


ATTRIBUTES = values(KIND).map(_known).filter(lambda found: isinstance(found, dict))
PATHS = some.sampled_from(
    [(), ((Step("name"),),), ((Step("tags"), Step("k", index=True)), (Step("port"), Step(0, index=True)))]
)
BYTES = some.sampled_from(["", "bnVsbA==", "eyJhIjoxfQ=="])
INSTANCES = some.builds(
    Instance,
    attributes=ATTRIBUTES,
    version=some.just(2),
    key=some.none() | some.integers(0, 3) | some.sampled_from(["eu", "us", "a b", "ä"]),
    tainted=some.booleans(),
    deposed=some.sampled_from(["", "", "", "deadbeef", "00c0ffee"]),
    sensitive=PATHS,
    private=BYTES,
    dependencies=some.lists(some.tuples(some.sampled_from(["box_item", "box_lid"]), WORDS), max_size=2),
    create_first=some.booleans(),
    identity=some.none() | some.just({"id": "a"}),
    identity_version=some.just(0),
)


@some.composite
def documents(draw):
    """Return a state that Terraform could have written: every object once, dependencies that are there."""
    chosen = draw(some.lists(some.tuples(some.sampled_from(["box_item", "box_lid"]), WORDS), unique=True))
    drawn = {each: _unlike(draw(some.lists(INSTANCES, min_size=1, max_size=3))) for each in sorted(chosen)}
    alive = {f"{kind}.{name}" for (kind, name), each in drawn.items() if any(not one.deposed for one in each)}
    entries = [
        Entry(
            *(MANAGED, kind, name, BOXES.source, draw(some.sampled_from(["", "spare"]))),
            instances=tuple(_depending(each, alive) for each in instances),
        )
        for (kind, name), instances in drawn.items()
    ]
    looked_up = [Entry(DATA, "box_kind", "all", BOXES.source, instances=(Instance({"id": "1"}),))]
    return Document(
        "f16b75d9-9cc0-c8e0-2c06-762e6c078005",
        draw(some.integers(0, 10**12)),
        tuple([*looked_up, *entries] if draw(some.booleans()) else entries),
        "1.0.3",
        draw(some.sampled_from([{}, {"o": {"value": "x", "type": "string"}}])),
    )


def _unlike(instances):
    """Return the objects in order, none of them twice, and identities of one form."""
    found = {(type(each.key).__name__, str(each.key), each.deposed): each for each in instances}
    return [found[key] for key in sorted(found)]


def _depending(one, alive):
    names = sorted({f"{kind}.{name}" for kind, name in one.dependencies} & alive)
    return Instance(
        *(one.attributes, one.version, one.key, one.tainted, one.deposed, one.sensitive, one.private),
        *(tuple(names), one.create_first, one.identity, one.identity_version),
    )
