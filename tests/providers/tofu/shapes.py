"""A schema with one of everything."""

from dirigent.providers.tofu.schema.configuration import configured
from dirigent.providers.tofu.schema.shape import Attribute, Block, Nested, NestedBlock, Nesting, collected
from dirigent.providers.tofu.values.types import BOOL, NUMBER, STRING, Collection, Kind


def attribute(name, kind=STRING, **more):
    return name, Attribute(name, kind, **more)


MAP, LIST = Nesting.MAP, Nesting.LIST
PART = dict([attribute("kind", optional=True), attribute("note", optional=True, computed=True)])
LIMITS = Block(dict([attribute("hard", BOOL, optional=True)]))
BOX = Block(
    dict(
        [
            attribute("id", computed=True),
            attribute("name", required=True),
            attribute("size", NUMBER, optional=True),
            attribute("tags", Collection(Kind.MAP, STRING), optional=True),
            attribute("note", optional=True, computed=True),
            attribute("secret", optional=True, sensitive=True),
            attribute(
                "parts",
                collected(PART, Nesting.MAP),
                nested=Nested(PART, Nesting.MAP),
                optional=True,
                computed=True,
            ),
        ]
    ),
    {
        "port": NestedBlock(
            "port",
            Block(dict([attribute("number", NUMBER, required=True), attribute("bound", computed=True)])),
            LIST,
            most=3,
        ),
        "rule": NestedBlock(
            "rule",
            Block(
                dict(
                    [
                        attribute("path", optional=True),
                        attribute("key", computed=True),
                        attribute("token", optional=True, sensitive=True),
                    ]
                )
            ),
            Nesting.SET,
        ),
        "limits": NestedBlock(
            "limits", Block(dict([attribute("hard", BOOL, optional=True)])), Nesting.SINGLE
        ),
        "group": NestedBlock("group", Block(dict([attribute("gid", computed=True)])), MAP),
    },
)


def given_of(session, name, given):
    """Return a configuration of a type of a session."""
    found, odd = configured(session.schema(name).block, given)
    assert not odd
    return found
