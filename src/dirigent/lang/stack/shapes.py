"""What a stack file looks like. The check, the JSON Schema and the docs come from these shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.lang.shape import (
    AnyValue,
    ByKey,
    ByKind,
    ExpressionText,
    Field,
    Fixed,
    Flag,
    Form,
    Later,
    Lazy,
    ListOf,
    MapOf,
    Number,
    Place,
    Record,
    Shape,
    Templates,
    Text,
    Whole,
    json_schema,
)
from dirigent.lang.stack.checks.shapes import CHECKS, STACK_CHECKS
from dirigent.lang.stack.outside.offers import TypeShape
from dirigent.lang.stack.outside.section import SectionShape
from dirigent.lang.stack.outside.shapes import PROVIDER, SINK
from dirigent.lang.stack.outside.types import Provided, ResourceShape
from dirigent.lang.stack.policy.shapes import POLICY
from dirigent.lang.stack.rows.shapes import FORGET, IMPORT, MOVED
from dirigent.lang.tree import Leaf
from dirigent.lang.workflow.shapes.schedule import POLICY as SCHEDULE_POLICY
from dirigent.model import limits
from dirigent.model.record import dataclass
from dirigent.model.resource import MODULE_TYPE
from dirigent.model.values import Value

_LABEL: Final = "[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LABEL_WORDS: Final = "1 to 63 lower-case letters, digits and hyphens that begin with a letter, as `shop-1`"
_NAME: Final = "[A-Za-z_][A-Za-z0-9_-]{0,62}"
_NAME_WORDS: Final = "1 to 63 letters, digits, `_` and `-` that begin with a letter"
_PREFIX: Final = "[a-z][a-z0-9-]{0,62}"
_PREFIX_WORDS: Final = "1 to 63 lower-case letters, digits and hyphens that begin with a letter, as `docker`"
_VARIABLE: Final = "[A-Za-z_][A-Za-z0-9_]*"
# Keys that every resource has, whatever its type.
COMMON: Final = (
    *("type", "read", "open", "call", "with", "provider", "needs", "count", "each", "lifecycle", "checks"),
)

NO_PROVIDERS: Final = Provided()

# Sections that later releases bring.
LATER_SECTIONS: Final = (
    "hosts",
    "services",
    "objectives",
    "modules",
    "approvals",
    "compensation",
)


def _count() -> Shape:
    return Templates(Whole(min=0))


_SCHEMA_TYPES: Final = Text(
    choices=("string", "number", "integer", "boolean", "array", "object", "null"), what="a type of JSON"
)
_SCHEMA: Final = Lazy("json-schema")
_SCHEMAS: Final = ListOf(_SCHEMA, min=1, what="a list of schemas")

_SCHEMA_FIELDS: Final[dict[str, Shape]] = {
    "type": ByKind(text=_SCHEMA_TYPES, list=ListOf(_SCHEMA_TYPES, min=1)),
    "title": Text(),
    "description": Text(),
    "default": AnyValue(),
    "examples": ListOf(AnyValue()),
    "enum": ListOf(AnyValue(), min=1),
    "const": AnyValue(),
    "format": Text(),
    "minimum": Number(),
    "maximum": Number(),
    "exclusiveMinimum": Number(),
    "exclusiveMaximum": Number(),
    "multipleOf": Number(),
    "minLength": Whole(min=0),
    "maxLength": Whole(min=0),
    "pattern": Text(),
    "items": _SCHEMA,
    "prefixItems": _SCHEMAS,
    "contains": _SCHEMA,
    "minItems": Whole(min=0),
    "maxItems": Whole(min=0),
    "uniqueItems": Flag(),
    "properties": MapOf(_SCHEMA),
    "patternProperties": MapOf(_SCHEMA),
    "additionalProperties": _SCHEMA,
    "propertyNames": _SCHEMA,
    "required": ListOf(Text()),
    "minProperties": Whole(min=0),
    "maxProperties": Whole(min=0),
    "anyOf": _SCHEMAS,
    "oneOf": _SCHEMAS,
    "allOf": _SCHEMAS,
    "not": _SCHEMA,
    "if": _SCHEMA,
    "then": _SCHEMA,
    "else": _SCHEMA,
}
_SCHEMA_RECORD: Final = Record(
    {name: Field(shape) for name, shape in _SCHEMA_FIELDS.items()},
    title="a JSON Schema",
    what="a JSON Schema",
)

DEFINITIONS: Final[Mapping[str, Shape]] = {
    "json-schema": ByKind(map=_SCHEMA_RECORD, flag=Flag()),
}


@dataclass(frozen=True, slots=True)
class _SecretPlace:
    """Where a secret is found, never the secret itself: a value that stands here is not repeated."""

    place: Shape
    what: str = "`{env: NAME}` or `{file: path}`"

    def inspect(self, place: Place) -> None:
        """Report a value in the clear (E1418), else go on."""
        if isinstance(place.node, Leaf) and place.node.value is not None:
            place.report(
                "E1418",
                f"{place.title} must say where the secret is found: its value never stands in a file",
                place.where,
                "written in the clear",
                ("write `{env: NAME}` or `{file: path}`", "change the secret if this file was shared"),
            )
        else:
            place.stay(self.place)

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        return form.of(self.place)


_SECRET: Final = ByKey(
    {
        "env": Record(
            {"env": Field(Text(_VARIABLE, what="the name of an environment variable"), required=True)},
            title="a secret",
        ),
        "file": Record(
            {"file": Field(Text(min_length=1, what="the path of a file"), required=True)}, title="a secret"
        ),
    },
    title="a secret",
)

_LIFECYCLE: Final = Record(
    {
        "protect": Field(Flag(), description="refuse every plan that would delete or replace an instance"),
        "replace": Field(
            Text(choices=("delete-first", "create-first"), what="`delete-first` or `create-first`"),
            description="which comes first when an instance must be made anew",
        ),
        "ignore": Field(
            ListOf(Text(min_length=1, what="the path of a property")),
            description="paths of properties whose changes are left alone, as `environment.LEVEL`",
        ),
        "replace-when": Field(
            ListOf(ExpressionText(), min=1),
            description="expressions: an instance is made anew when the value of one changes",
        ),
        "identity": Field(
            Text(min_length=1, what="an id with `{attribute}` in it"),
            description="the id under which its provider imports it, as `{name}`: a creation in doubt is "
            "looked up by it",
        ),
    },
    title="`lifecycle`",
)

_MODULE: Final = TypeShape(
    Record(
        {
            "from": Field(
                Fixed(Text(min_length=1, what="the path of a folder or of a stack file")),
                required=True,
                description="a folder with a `stack.yaml`, or a file, from the folder of this file",
            ),
            "inputs": Field(
                Templates(MapOf(AnyValue()), whole=False), description="values for the inputs of the module"
            ),
        },
        title="the properties of a module",
    ),
    {
        "providers": Field(
            MapOf(Fixed(Text(min_length=1, what="the name of a provider of this stack"))),
            description="which provider of this stack a provider of the module means (default: its name)",
        )
    },
    "a stack as a resource: its attributes are its outputs",
)
_HANDED_DOWN: Final = Record(
    {name: _LIFECYCLE.fields[name] for name in ("protect", "replace")}, title="`lifecycle` of a module"
)

_WORKFLOW: Final = ByKey(
    {
        "from": Record(
            {
                "from": Field(
                    Text(min_length=1, what="the path of a workflow file"),
                    required=True,
                    description="an Open Workflow document in a file of its own, from the stack's folder",
                ),
                "input": Field(
                    Templates(MapOf(AnyValue()), whole=False),
                    description="members that lie under the input that a caller gives",
                ),
            },
            title="a workflow from a file",
        ),
        "python": Record(
            {
                "python": Field(
                    Text(min_length=1, what="a Python file and a function in it"),
                    required=True,
                    description="a workflow in Python, as `flows.py:place`, from the stack's folder",
                ),
                "input": Field(
                    Templates(MapOf(AnyValue()), whole=False),
                    description="members that lie under the input that a caller gives",
                ),
            },
            title="a workflow in Python",
        ),
        # The reader of workflows has the whole say about an inline document.
        "document": AnyValue(),
    },
    title="a workflow",
)

_QUEUE: Final = Record(
    {
        "concurrency": Field(
            Whole(min=1, max=limits.QUEUE_CONCURRENCY_MAX), description="how many may be under way at a time"
        ),
        "rate": Field(
            Text(r"[1-9][0-9]*/[0-9]*(?:ms|s|m|h|d)", what="a number in a period, as `100/1m`"),
            description="how many may begin in a period, as `100/1m`",
        ),
        "workers": Field(
            ByKind(flag=Flag(), number=Whole(min=0, max=limits.WORKERS_PER_QUEUE)),
            description="Python steps go to workers: `true` to those that you start, or how many to start",
        ),
    },
    title="a queue",
)


def own_types(types: Mapping[str, TypeShape]) -> dict[str, TypeShape]:
    """Return the types that are no provider's: those that are given, and a stack itself."""
    return {**types, MODULE_TYPE: _MODULE}


def stack_shape(types: Mapping[str, TypeShape], provided: Provided = NO_PROVIDERS) -> Record:
    """Return the shape of a whole stack file, given the types of ours and those of its providers."""
    resource = ResourceShape(own_types(types), provided, _resource)
    sections = {
        "stack": Field(Text(_LABEL, what=_LABEL_WORDS), required=True, description="the name of the stack"),
        "description": Field(Text(), description="what the stack is for"),
        "inputs": Field(
            _map(_SCHEMA_RECORD), description="values that the user gives: JSON Schema with default"
        ),
        "secrets": Field(
            _map(_SecretPlace(_SECRET)),
            description="where secret values are found: `{env: NAME}`, `{file: path}`",
        ),
        "providers": Field(
            SectionShape(MapOf(PROVIDER, _PREFIX, _PREFIX_WORDS), provided),
            description="OpenTofu and Terraform providers, by the prefix of their types",
        ),
        "resources": Field(_map(resource), description="everything with a lifecycle"),
        "workflows": Field(
            MapOf(_WORKFLOW, _LABEL, _LABEL_WORDS),
            description="Open Workflow documents, inline or `{from: path}`",
        ),
        "queues": Field(
            MapOf(_QUEUE, _LABEL, _LABEL_WORDS), description="where runs and steps wait for their turn"
        ),
        "schedules": Field(
            MapOf(SCHEDULE_POLICY, _LABEL, _LABEL_WORDS),
            description="by what rules workflows run by themselves, by the name of the workflow",
        ),
        "events": Field(
            MapOf(SINK, _LABEL, _LABEL_WORDS), description="where events are delivered to, by a name"
        ),
        "moved": Field(MOVED, description="what has another name now, and stays what it is"),
        "forget": Field(FORGET, description="what is let go of without being deleted"),
        "import": Field(IMPORT, description="what exists already and is taken over"),
        "policy": Field(POLICY, description="what may happen"),
        "checks": Field(STACK_CHECKS, description="what should hold at the end of every plan and apply"),
        "outputs": Field(
            MapOf(Templates(AnyValue()), _NAME, _NAME_WORDS),
            description="values that the stack shows when it is up",
        ),
    }
    later = {name: Field(Later()) for name in LATER_SECTIONS}
    return Record({**sections, **later}, title="a stack", what="a stack, which begins with `stack: NAME`")


def stack_schema(types: Mapping[str, TypeShape], provided: Provided = NO_PROVIDERS) -> dict[str, Value]:
    """Return the JSON Schema of the stack file, for editors."""
    return json_schema(stack_shape(types, provided), definitions=DEFINITIONS, title="Dirigent stack")


def _map(value: Shape) -> MapOf:
    return MapOf(value, _NAME, _NAME_WORDS)


def _resource(name: str, shape: TypeShape) -> Record:
    beside = {
        key: Field(Templates(each.shape), each.required, each.description)
        for key, each in shape.beside.items()
    }
    fields: dict[str, Field] = {
        "type": Field(Text(), description=shape.description),
        "read": Field(Text(), description="a data source of a provider: it is looked up, and never changed"),
        "open": Field(
            Text(), description="an ephemeral type of a provider: opened while it is used, and never stored"
        ),
        "call": Field(
            Text(), description="a function of a provider, as `time::rfc3339_parse`; its result is `.result`"
        ),
        "with": Field(Templates(shape.inside, whole=False), shape.wanted, f"the properties of `{name}`"),
        "provider": Field(
            Text(min_length=1, what="the name of a provider"),
            description="which entry of `providers` manages it (default: the one its type begins with)",
        ),
        "needs": Field(ListOf(Text()), description="resources that must stand before this one"),
        "count": Field(_count(), description="how many instances; each sees `$each.key`, from 0 on"),
        "each": Field(
            Templates(ByKind(list=ListOf(ByKind(text=Text(), number=Number())), map=MapOf(AnyValue()))),
            description="one instance for each item; it sees `$each.key` and `$each.value`",
        ),
        "lifecycle": Field(_LIFECYCLE, description="rules for change and removal"),
        "checks": Field(CHECKS, description="what must hold before it is changed, and after"),
        **beside,
    }
    if name == MODULE_TYPE:
        # No provider manages it, and its lifecycle is that of what lies in it; so are its checks.
        del fields["provider"], fields["checks"]
        fields["lifecycle"] = Field(_HANDED_DOWN, description="rules for everything in it")
    return Record(fields, title=f"a resource of type `{name}`", what="a resource")
