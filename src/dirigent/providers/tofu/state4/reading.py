"""Bytes become a state. What is no state of version 4 is refused whole, with its place."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Final, Never

from dirigent.model import limits
from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.values import Value
from dirigent.providers.tofu.state4.document import (
    DATA,
    MANAGED,
    TAINTED,
    VERSION,
    Document,
    Entry,
    Instance,
    Key,
    Step,
    Steps,
    shown,
)
from dirigent.providers.tofu.state4.members import Members, misshaped

_PROVIDER: Final = re.compile(
    r'(?:(?P<module>module\..+)\.)?provider\["(?P<source>[^"\]/]+/[^"\]/]+/[^"\]/]+)"\](?:\.(?P<alias>[^."\[\]]+))?'
)
_MODULE: Final = re.compile(
    r'module\.[\w-]+(?:\[(?:"[^"]*"|[0-9]+)\])?(?:\.module\.[\w-]+(?:\[(?:"[^"]*"|[0-9]+)\])?)*'
)
_NAME: Final = re.compile(r"[^\W\d][\w-]*")
_AGAIN: Final = "take the file again: `terraform state pull > state.json`; nothing was imported"

_ONE: Final = "find out which of them is real, and remove the other one by hand; nothing was imported"


def read_document(content: bytes) -> Document:
    """Return the state in some bytes.

    Raises:
        Refusal: E3050 no JSON, E3051 another version, E3052 another form, E3053 too large, E3054 an object
            that stands there twice, E3063 attributes in the form of before Terraform 0.12.
    """
    top = Members(_parsed(content))
    _check_version(top.found.get("version"))
    entries = tuple(_entry(each) for each in top.each("resources"))
    _refuse_twice(entries)
    return Document(
        lineage=top.text("lineage", required=True),
        serial=top.whole("serial"),
        entries=entries,
        terraform=top.text("terraform_version") or "1.0.0",
        outputs=top.table("outputs") or {},
        checks=top.found.get("check_results"),
    )


def _parsed(content: bytes) -> dict[str, Value]:
    if len(content) > limits.STATE4_BYTES:
        raise refuse(
            "E3053",
            f"the state has `{len(content)}` bytes; `{limits.STATE4_BYTES}` are allowed",
            "divide it with `terraform state mv -state-out`, and import the parts one after the other",
        )
    try:
        found: Value = json.loads(content, parse_constant=_no_constant, parse_float=_finite)
        if b"\\ud" in content.lower():
            # Half of a character can be written in JSON, and is none: nobody could store it.
            json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise refuse("E3050", "the file holds a text that is no Unicode", _AGAIN) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise refuse("E3050", f"the file is no JSON: {error.msg} at `{where}`", _AGAIN) from None
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise refuse("E3050", f"the file is no JSON: {why}", _AGAIN) from None
    if not isinstance(found, dict):
        raise refuse("E3050", "the file holds no JSON object, and so no state", _AGAIN)
    return found


def _no_constant(name: str) -> Never:
    raise ValueError(f"`{name}` is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"`{text[:40]}` is larger than any number here")
    return number


def _check_version(version: Value) -> None:
    if version == VERSION and not isinstance(version, bool):
        return
    if version is None:
        raise refuse("E3051", "the file does not say of which version it is, so it is no state", _AGAIN)
    raise refuse(
        "E3051",
        f"the state is of version `{json.dumps(version)[:40]}`; version `{VERSION}` can be read",
        "let Terraform 0.12 or later, or OpenTofu, write it anew: `terraform apply -refresh-only`",
    )


def _entry(found: Members) -> Entry:
    mode = found.text("mode", required=True)
    if mode not in {MANAGED, DATA}:
        raise found.odd("mode", f"`{MANAGED}` or `{DATA}`")
    source = _PROVIDER.fullmatch(found.text("provider", required=True))
    if source is None:
        raise found.odd(
            "provider", 'the address of a provider, as `provider["registry.opentofu.org/hashicorp/null"]`'
        )
    return Entry(
        mode=mode,
        type=_name(found, "type"),
        name=_name(found, "name"),
        source=source["source"].lower(),
        alias=source["alias"] or "",
        module=_module(found),
        instances=tuple(_instance(each) for each in found.each("instances")),
    )


def _module(found: Members) -> str:
    text = found.text("module")
    if text and _MODULE.fullmatch(text) is None:
        raise found.odd("module", 'the path of a module, as `module.net` or `module.net["eu"].module.sub`')
    return text


def _name(found: Members, member: str) -> str:
    text = found.text(member, required=True)
    if _NAME.fullmatch(text) is None:
        raise found.odd(member, "a name of letters, digits, `_` and `-`")
    return text


def _instance(found: Members) -> Instance:
    attributes = found.table("attributes")
    if attributes is None and found.table("attributes_flat") is not None:
        raise refuse(
            "E3063",
            f"`{found.place}` has its attributes in the form of before Terraform 0.12",
            "let Terraform write it anew: `terraform apply -refresh-only`; nothing was imported",
        )
    status = found.text("status")
    if status not in {"", TAINTED}:
        raise found.odd("status", f"`{TAINTED}` or left out")
    if attributes is None:
        raise found.odd("attributes", "an object")
    return Instance(
        attributes=attributes,
        version=found.whole("schema_version"),
        key=_key(found),
        tainted=status == TAINTED,
        deposed=found.text("deposed"),
        sensitive=tuple(_steps(*each) for each in found.lists("sensitive_attributes")),
        private=found.text("private"),
        dependencies=found.texts("dependencies"),
        create_first=found.flag("create_before_destroy"),
        identity=found.table("identity"),
        identity_version=found.whole("identity_schema_version"),
    )


def _key(found: Members) -> Key:
    value = found.found.get("index_key")
    match value:
        case None | str() if '"' not in (value or ""):
            return value
        case int() if not isinstance(value, bool) and value >= 0:
            return value
        case _:
            raise found.odd("index_key", "a text without double quotes, or a whole number from 0 on")


def _steps(place: str, path: list[Value]) -> Steps:
    """Return a path; into a set it ends before the element, whose key would be its own value."""
    steps: list[Step] = []
    for number, item in enumerate(path):
        match item:
            case {"type": "get_attr", "value": str() as name}:
                steps.append(Step(name))
            case {"type": "index", "value": {"value": str() as key, **_rest}}:
                steps.append(Step(key, index=True))
            case {"type": "index", "value": {"value": int() as at, **_rest}} if not isinstance(at, bool):
                steps.append(Step(at, index=True))
            case {"type": "index", "value": {"value": _, **_rest}}:
                break
            case _:
                raise misshaped(f"{place}[{number}]", "a step of a path", item)
    return tuple(steps)


def _refuse_twice(entries: tuple[Entry, ...]) -> None:
    """Raise `Refusal` (E3054) with every object that stands there twice."""
    seen: dict[tuple[str, str, Key, str], None] = {}
    problems: list[Problem] = []
    for origin, instance in _objects(entries):
        identity = (origin, type(instance.key).__name__, instance.key, instance.deposed)
        if identity in seen:
            said = f"`{shown(origin, instance)}` stands in the state twice"
            problems.append(Problem("E3054", said, help=(_ONE,)))
        seen[identity] = None
    if problems:
        raise Refusal(problems)


def _objects(entries: tuple[Entry, ...]) -> Iterator[tuple[str, Instance]]:
    for entry in entries:
        for instance in entry.instances:
            yield entry.origin, instance
