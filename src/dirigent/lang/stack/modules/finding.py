"""The files of modules: found, read once each, circles and depth refused. Nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Final, TypeAlias

from dirigent.lang.shape import is_expression, shortened
from dirigent.lang.stack.reading import Link, Reading, StackContext, Used, mapping_of, text_of
from dirigent.lang.tree import Member, Members
from dirigent.model import limits
from dirigent.model.problem import Label, Problem
from dirigent.model.resource import MODULE_TYPE
from dirigent.model.source import Span
from dirigent.model.stack import Stack

Reader: TypeAlias = Callable[[str, str, str, StackContext], tuple[Stack | None, list[Problem]]]

FILE: Final = "stack.yaml"
# Sections of a stack that a module cannot have.
REFUSED: Final = ("workflows", "queues", "schedules", "events", "policy")
# Sections about what is known of resources: what to do in their place.
_OF_ROWS: Final = {
    "import": ("E1444", "take the entries out, and import each once with `dirigent import ADDRESS ID`"),
    "forget": ("E1446", "name it in `forget` of the stack that uses this one, as `net/web`"),
}


def find_modules(reading: Reading, resources: Members | None, read: Reader) -> dict[str, Used]:
    """Return the stacks that resources of type `stack` name, as far as they can be read.

    Problems: no such file (E1445), what is wrong in it, with its own places, files that use each other in a
    circle (E1447), too many within each other (E1448).
    """
    found: dict[str, Used] = {}
    for member in resources or ():
        entry = mapping_of(member.node)
        if entry is None or text_of(entry.get("type")) != MODULE_TYPE:
            continue
        inside = mapping_of(entry.get("with"))
        place = inside.members.get("from") if inside is not None else None
        stack = _stack(reading, place, read) if place is not None else None
        repeated = "count" in entry.members or "each" in entry.members
        found[member.key] = Used(stack, repeated)
    return found


def _stack(reading: Reading, member: Member, read: Reader) -> Stack | None:
    path = text_of(member.node)
    if not path or is_expression(member.node):
        return None
    opened = _file(reading, path)
    if opened is None:
        reading.complain(
            "E1445",
            f"there is no module at `{shortened(path)}`",
            member.node.span,
            f"neither a file nor a folder with a `{FILE}`",
            "paths start from the folder of the file that names them; nothing is fetched from elsewhere",
        )
        return None
    name, shown, text = opened
    if _is_circle(reading, name, shown, member.node.span):
        return None
    context = reading.context
    if name not in context.known:
        link = Link(name, shown, member.node.span)
        folder = str(PurePosixPath(name).parent)
        stack, problems = read(text, shown, folder, context.within(link))
        context.known[name] = stack
        reading.sources |= stack.sources if stack is not None else {shown: text}
        reading.problems.extend(problems)
    known = context.known[name]
    if known is not None:
        reading.sources |= known.sources
        if _is_deep(reading, known, member.node.span):
            return None
    return known


def _file(reading: Reading, path: str) -> tuple[str, str, str] | None:
    """Return the whole path of a module's file, the path that is shown of it, and its text."""
    opened, shown = PurePosixPath(reading.folder) / path, PurePosixPath(reading.file).parent / path
    for tail in ((), (FILE,)):
        name = _plain(opened.joinpath(*tail))
        text = reading.context.read_file(name)
        if text is not None:
            return name, _plain(shown.joinpath(*tail)), text
    return None


def _plain(path: PurePosixPath) -> str:
    """Return a path without `..`: two ways to one file are one file."""
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] not in ("..", "/"):
            parts.pop()
        elif part != ".." or not parts or parts[-1] != "/":
            parts.append(part)
    return str(PurePosixPath(*parts)) if parts else "."


def _is_circle(reading: Reading, name: str, shown: str, at: Span) -> bool:
    """Report a module that uses a file which uses it (E1447), with the chain."""
    chain = [*reading.context.chain]
    place = next((index for index, link in enumerate(chain) if link.name == name), None)
    if place is None:
        return False
    way = " → ".join(f"`{link.shown}`" for link in chain[place:])
    reading.complain_beside(
        Problem(
            "E1447",
            f"these modules use each other in a circle: {way} → `{shown}`",
            at,
            "comes back to where it began",
            help=("take one of them out of the circle: what two stacks share goes into a third one",),
        ),
        tuple(Label(link.at, f"uses `{link.shown}`") for link in chain[place + 1 :] if link.at),
    )
    return True


def _is_deep(reading: Reading, stack: Stack, at: Span) -> bool:
    """Report more modules within each other than there may be (E1448)."""
    # The first link of the chain is the stack that is read itself.
    depth = len(reading.context.chain) + depth_of(stack)
    if depth <= limits.MODULE_DEPTH:
        return False
    reading.complain(
        "E1448",
        f"here `{depth}` modules lie within each other, at most `{limits.MODULE_DEPTH}` may",
        at,
        "one too many",
        "use inner modules side by side: outputs of one may be inputs of the other",
    )
    return True


def depth_of(stack: Stack) -> int:
    """Return how many modules lie within each other below a stack."""
    return max((module.depth + 1 for module in stack.modules.values()), default=0)


def refuse_sections(reading: Reading, root: Members) -> None:
    """Report sections of a stack that is used as a module, which no module can have (E1444, E1446, E1456)."""
    used = reading.context.chain[-1].at if reading.context.chain else None
    for name in REFUSED:
        if name in root.members:
            reading.complain_beside(
                Problem(
                    "E1456",
                    f"a stack with `{name}` cannot be used as a module",
                    root.members[name].key_span,
                    "a module has resources, inputs, secrets, providers and outputs",
                    help=(f"move `{name}` to the stack that uses it, or keep two files",),
                ),
                (Label(used, "used as a module here"),) if used else (),
            )
    for name, (code, remedy) in _OF_ROWS.items():
        if name in root.members:
            reading.complain_beside(
                Problem(
                    code,
                    f"`{name}` cannot stand in a module: what is managed, the stack that uses it says",
                    root.members[name].key_span,
                    "a module may be there many times",
                    help=(remedy,),
                ),
                (Label(used, "used as a module here"),) if used else (),
            )
