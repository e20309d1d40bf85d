"""Every name that an expression mentions is looked up in what the stack declares."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Final

from dirigent.lang.shape import nearest, shortened
from dirigent.lang.stack.modules.outputs import check_output
from dirigent.lang.stack.places import advanced, raw_text
from dirigent.lang.stack.reading import Reading
from dirigent.lang.tree import Leaf
from dirigent.model.problem import Label, Problem
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.ports import Compiled

_KNOWN: Final = ("inputs", "secrets", "resources", "each", "stack")
_BUILT_IN: Final = ("__loc__",)
_LATER: Final = ("hosts",)
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DOTTED: Final = re.compile(r"\$(resources|inputs|secrets)\.([A-Za-z_][A-Za-z0-9_]*-[A-Za-z0-9_-]*)")


@dataclass(slots=True)
class Use:
    """Where expressions stand: `owner` in words, and what they may see.

    `itself` is the resource in which they stand, which is never what was meant by another name.
    `decides` says in words what the value decides, for which no secret will do. `found` collects the
    resources that are mentioned, each with the place of its first mention. `self_seen` says that `$self` is
    the resource, as it stands after a change.
    """

    owner: str
    itself: str = ""
    each: bool = False
    decides: str = ""
    found: dict[str, Span] = field(default_factory=dict)
    self_seen: bool = False


_DOT: Final = re.compile(r"\s*\.\s*")
_QUOTE: Final = re.compile(r"\s*\.?\[?\s*\\?\"")


@dataclass(frozen=True, slots=True)
class Mention:
    """Where one expression stands, to find the names in it."""

    leaf: Leaf
    span: Span
    lines: list[str]

    def of(self, variable: str, member: str | None = None) -> Span:
        """Return the place of `$variable`, or of the member taken of it."""
        raw = raw_text(self.lines, self.leaf.span)
        # One pattern for each variable, none for each member: thousands would be compiled for a large stack.
        for found in re.finditer(rf"\${re.escape(variable)}(?![A-Za-z0-9_])", raw):
            start = found.start() if member is None else taken(raw, found.end(), member)
            if start is not None:
                line, column = advanced(self.leaf.span, raw[:start])
                length = len(variable) + 1 if member is None else len(member)
                return Span(self.span.file, line, column, line, column + length)
        return self.span


def taken(raw: str, at: int, member: str) -> int | None:
    """Return where a member stands that is taken at a place, as `.name`, `["name"]` or `."name"`."""
    plain = _DOT.match(raw, at)
    if plain is not None and raw.startswith(member, plain.end()):
        after = raw[plain.end() + len(member) :][:1]
        if not (after.isascii() and (after.isalnum() or after == "_")):
            return plain.end()
    quoted = _QUOTE.match(raw, at)
    if quoted is not None and raw.startswith((f'{member}"', f'{member}\\"'), quoted.end()):
        return quoted.end()
    return None


def hyphenated(reading: Reading, text: str, mention: Mention) -> bool:
    """Report a name with a hyphen behind a dot (E1419), which jq takes for a subtraction."""
    for section, name in _DOTTED.findall(text):
        declared = _declared(reading, section)
        if name in declared and name.partition("-")[0] not in declared:
            reading.complain(
                "E1419",
                f"jq reads `${section}.{name}` as a subtraction",
                mention.of(section, name),
                "ends at the hyphen",
                f"write `{_path(section, name)}`",
            )
            return True
    return False


def check_mentions(reading: Reading, compiled: Compiled, mention: Mention, use: Use) -> None:
    """Report every mention of what is not there, or may not stand here; note the resources mentioned."""
    for name in sorted(compiled.variables):
        if name == "each" and not use.each:
            reading.complain(
                "E1408",
                f"`$each` has no value in {use.owner}",
                mention.of("each"),
                "only a resource with `count` or `each` has it",
                "add `count:` or `each:` to the resource, or take the value from `$inputs`",
            )
        elif name == "self" and not use.self_seen:
            reading.complain(
                "E1436",
                f"`$self` has no value in {use.owner} here",
                mention.of("self"),
                "only a check of a resource under `after` has it",
                "look at `$inputs`, or at another resource",
            )
        elif name not in _KNOWN and name != "self" and name not in _BUILT_IN:
            _report_variable(reading, name, mention.of(name))
    for variable, member in sorted(compiled.references, key=lambda pair: (pair[0], pair[1] or "")):
        checker = _CHECKERS.get(variable)
        if checker is not None:
            checker(reading, member, mention, use)
    for path in sorted(compiled.paths, key=lambda path: [step or "" for step in path]):
        match path:
            case ("resources", str(module), *steps) if module in reading.modules:
                place = mention.of("resources", module)
                check_output(reading, (module, *steps), place, reading.modules[module], use.owner)
            case _:
                pass


def _report_variable(reading: Reading, name: str, at: Span) -> None:
    if name in _LATER:
        reading.complain(
            "E1204", f"`${name}` is not supported yet", at, "known, but a later release brings it"
        )
        return
    meant = nearest(name, _KNOWN)
    reading.complain(
        "E1302",
        f"`${name}` is not defined in a stack",
        at,
        f"did you mean `${meant}`?" if meant else "unknown variable",
        "defined here: " + ", ".join(f"`${each}`" for each in _KNOWN),
    )


def _check_resource(reading: Reading, member: str | None, mention: Mention, use: Use) -> None:
    at = mention.of("resources", member)
    if member is None:
        reading.complain(
            "E1403",
            f"{use.owner} takes a resource by a name that is computed",
            at,
            "this would hide what depends on what",
            'write the name out: `$resources.NAME` or `$resources["NAME"]`',
        )
    elif member in reading.resources:
        use.found.setdefault(member, at)
    else:
        _report_missing(reading, "E1401", ("resources", member), at, use)


def _check_input(reading: Reading, member: str | None, mention: Mention, use: Use) -> None:
    if member is not None and member not in reading.inputs:
        at = mention.of("inputs", member)
        _report_missing(reading, "E1402", ("inputs", member), at, use)


def _check_secret(reading: Reading, member: str | None, mention: Mention, use: Use) -> None:
    at = mention.of("secrets", member)
    if use.decides:
        reading.complain(
            "E1411",
            f"a secret cannot decide {use.decides} of {use.owner}",
            at,
            "its value is known only where it is sent",
            "use an input instead",
        )
    elif member is None:
        reading.complain(
            "E1403",
            f"{use.owner} takes a secret by a name that is computed",
            at,
            "name it",
            "write `$secrets.NAME`",
        )
    elif member not in reading.secrets:
        _report_missing(reading, "E1303", ("secrets", member), at, use)


_CHECKERS: Final[Mapping[str, Callable[[Reading, str | None, Mention, Use], None]]] = {
    "resources": _check_resource,
    "inputs": _check_input,
    "secrets": _check_secret,
}


def _report_missing(reading: Reading, code: str, named: tuple[str, str], at: Span, use: Use) -> None:
    section, member = named
    declared = _declared(reading, section)
    meant = nearest(member, [name for name in declared if name != use.itself])
    if meant is None:
        names = ", ".join(declared) or "none"
        help_lines = (f"add `{shortened(member)}` to `{section}:`", f"declared: {shortened(names)}")
    else:
        change = f"change it to `{_path(section, meant)}`"
        help_lines = (change, f"or add `{shortened(member)}` to `{section}:`")
    reading.complain_beside(
        Problem(
            code,
            f"{use.owner} mentions the {section[:-1]} `{shortened(member)}`, which is not declared",
            at,
            f"did you mean `{meant}`?" if meant else "not declared",
            help=help_lines,
        ),
        (Label(declared[meant], "a similar name"),) if meant else (),
    )


def _declared(reading: Reading, section: str) -> Mapping[str, Span]:
    return {"resources": reading.resources, "inputs": reading.inputs, "secrets": reading.secrets}[section]


def _path(section: str, name: str) -> str:
    return f"${section}.{name}" if _PLAIN.fullmatch(name) else f'${section}["{name}"]'
