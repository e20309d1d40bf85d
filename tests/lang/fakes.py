"""A toy expression language: names and references by pattern, and brackets that must match."""

import re
from dataclasses import dataclass

from dirigent.lang.schema import SCHEMAS
from dirigent.lang.shape import AnyValue, ByKind, Field, Fixed, Flag, ListOf, MapOf, Record, Text, Whole
from dirigent.lang.stack import StackContext, TypeShape
from dirigent.lang.tree import Leaf, Members
from dirigent.model.problem import Problem
from dirigent.model.program import Program, Sequence, Task
from dirigent.ports import ExpressionFailed

MENTION = re.compile(r'\$(\w+)(?:\.([A-Za-z_]\w*)|\[\s*\\?"([^"\\]+)\\?"\s*\])?')
PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True)
class ToyCompiled:
    text: str
    local: bool = True

    @property
    def variables(self):
        return frozenset(found[1] for found in MENTION.finditer(self.text))

    @property
    def references(self):
        return frozenset((found[1], found[2] or found[3]) for found in MENTION.finditer(self.text))

    @property
    def paths(self):
        return frozenset((name, member) if member else (name,) for name, member in self.references)

    def evaluate(self, dot, variables):
        raise ExpressionFailed("a toy has no values")


class ToyLanguage:
    def compile(self, text):
        opened = []
        for index, character in enumerate(text):
            if character in "([{":
                opened.append(character)
            elif character in PAIRS and (not opened or opened.pop() != PAIRS[character]):
                raise ExpressionFailed(f"`{character}` closes nothing, at column {index + 1}: `{character}`")
        if opened:
            raise ExpressionFailed(f"`{opened[-1]}` is not closed, at the end")
        if text.endswith("|"):
            raise ExpressionFailed(f"nothing follows at column {len(text)}: `|`")
        return ToyCompiled(text)


SERVICE = TypeShape(
    inside=Record(
        {
            "command": Field(ListOf(Text(), min=1), required=True),
            "environment": Field(MapOf(Text())),
            "port": Field(Whole(min=1, max=65535)),
            "health": Field(
                Record({"http": Field(Text()), "seconds": Field(Whole(min=1))}, title="`health`")
            ),
        },
        title="a service",
    ),
    beside={
        "runtime": Field(Fixed(Text(choices=("process",)))),
        "replicas": Field(Whole(min=0, max=64)),
    },
)
FILE = TypeShape(
    inside=Record(
        {
            "path": Field(Text(min_length=1), required=True),
            "content": Field(ByKind(text=Text(), map=AnyValue(), list=AnyValue())),
            "mode": Field(Text("[0-7]{3,4}", what='an octal mode as text, such as "0640"')),
            "sensitive": Field(Flag()),
        },
        title="a file",
    )
)


def read_workflow(node, file, text):
    """Read just enough of a workflow: identity, secrets; anything without `do` is refused."""
    document = node.get("document") if isinstance(node, Members) else None
    if not isinstance(document, Members) or node.get("do") is None:
        return None, [Problem("E1202", "a workflow lacks `do`", at=node.span)]
    named = {member.key: member.node.value for member in document if isinstance(member.node, Leaf)}
    use = node.get("use")
    secrets = use.get("secrets") if isinstance(use, Members) else None
    program = Program(
        name=str(named.get("name")),
        namespace=str(named.get("namespace")),
        version=str(named.get("version")),
        root=Task("root", "", Sequence(())),
        secrets=tuple(item.value for item in secrets.items) if secrets is not None else (),
    )
    return program, []


def context(files=None):
    return StackContext(
        types={"service": SERVICE, "file": FILE, "directory": FILE},
        language=ToyLanguage(),
        schemas=SCHEMAS,
        read_file=(files or {}).get,
        read_workflow=read_workflow,
    )
