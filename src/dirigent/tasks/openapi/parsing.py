"""The text of an OpenAPI document becomes a plain value: JSON, or the harmless part of YAML.

No tags, anchors or aliases, no dates, bounded depth: what is left of YAML is JSON in other clothes.
"""

from __future__ import annotations

import re
from typing import Final

import yaml

from dirigent.model import limits
from dirigent.model.values import Value
from dirigent.tasks.http.answer import json_of
from dirigent.tasks.http.failure import misconfigured
from dirigent.tasks.secrets import rewritten

REF_HOPS: Final = 64


class _Plain(yaml.CSafeLoader):
    """Knows the scalars of JSON only: `2024-01-01`, `on` and `010` stay texts."""


_Plain.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?[0-9]+(\.[0-9]*([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)", list("-+0123456789")),
):
    _Plain.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


def parsed(content: bytes, place: str, what: str = "OpenAPI document") -> dict[str, Value]:
    """Return a document as an object, or raise `CallFailed` with its place and what is wrong."""
    if len(content) > limits.HTTP_RESPONSE_BYTES:
        raise misconfigured(f"the {what} `{place}` has more than {limits.HTTP_RESPONSE_BYTES} bytes")
    try:
        value = json_of(content) if content.lstrip()[:1] == b"{" else _yaml(content)
    except ValueError as error:
        raise misconfigured(f"the {what} `{place}` cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise misconfigured(f"the {what} `{place}` is not an object")
    return value


def member(value: Value, name: str) -> dict[str, Value]:
    """Return a member that is an object, or an empty one."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def resolved(root: dict[str, Value], node: Value) -> Value:
    """Return what a node stands for, following `$ref` inside the document. Raises `CallFailed`."""
    for _ in range(REF_HOPS):
        reference = node.get("$ref") if isinstance(node, dict) else None
        if not isinstance(reference, str):
            return node
        if not reference.startswith("#/"):
            raise misconfigured(
                f"the reference `{reference}` leads out of the OpenAPI document; bundle it into one file"
            )
        node = root
        for step in reference[2:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, dict) or name not in node:
                raise misconfigured(f"the reference `{reference}` of the OpenAPI document leads to nothing")
            node = node[name]
    raise misconfigured("a reference of the OpenAPI document leads in a circle")


def _yaml(content: bytes) -> Value:
    try:
        text = content.decode("utf-8-sig")
        depth = 0
        # The events come from a loop; only after this check may the recursive constructor run.
        for event in yaml.parse(text, Loader=_Plain):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
                raise ValueError("it uses anchors or aliases, which are not read here")
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > limits.DOCUMENT_DEPTH:
                raise ValueError(f"it is nested deeper than {limits.DOCUMENT_DEPTH}")
        loader = _Plain(text)
        found: Value = loader.get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise ValueError(f"it is neither JSON nor YAML{line}") from None
    return rewritten(found, _scalar, keys=True)


def _scalar(leaf: Value) -> Value:
    """Return a scalar of JSON; a tag can make others (dates, bytes, sets), which are refused."""
    if leaf is None or isinstance(leaf, str | bool | int | float):
        return leaf
    raise ValueError("it holds a value with a tag that JSON has no form for")
