"""Stacks of null resources in three shapes, each as Terraform and as we write it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

LAYERS: Final = 10
SHAPES: Final = ("count", "blocks", "layers")
ADDRESS: Final = "registry.terraform.io/hashicorp/null"
CHANGED: Final = "changed"


def terraform(shape: str, count: int, change: str = "") -> str:
    """Return `main.tf.json`; `change` is a trigger of one resource."""
    if shape == "count":
        blocks: dict[str, object] = {
            "r": {"count": count, "triggers": {"n": "${count.index}", "v": _one(change)}}
        }
    else:
        blocks = {
            f"r{at}": {
                "triggers": _triggers(shape, at, count, lambda n: f"${{null_resource.r{n}.id}}", change)
            }
            for at in range(count)
        }
    wanted = {"null": {"source": "hashicorp/null", "version": "2.1.2"}}
    return json.dumps({"terraform": {"required_providers": wanted}, "resource": {"null_resource": blocks}})


def dirigent(shape: str, count: int, program: str, change: str = "") -> str:
    """Return `stack.yaml`, in JSON, which is YAML as well."""
    if shape == "count":
        config = {"triggers": {"n": "${ $each.key }", "v": (change and f"${{ {_guess(change)} }}") or "0"}}
        resources: dict[str, object] = {"r": {"type": "null_resource", "count": count, "with": config}}
    else:
        resources = {
            f"r{at}": {
                "type": "null_resource",
                "with": {
                    "triggers": _triggers(shape, at, count, lambda n: f"${{ $resources.r{n}.id }}", change)
                },
            }
            for at in range(count)
        }
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(each)}" for name, each in resources.items())
    providers = json.dumps({"null": {"source": program}})
    return f'{{"stack": "bench", "providers": {providers}, "resources": {{\n{lines}\n}}}}\n'


def _triggers(shape: str, at: int, count: int, refer: Callable[[int], str], change: str) -> dict[str, str]:
    found = {"n": str(at), "v": change if change and at == count - 1 else "0"}
    width = count // LAYERS
    if shape == "layers" and at >= width:
        above = (at // width - 1) * width
        found["a"] = refer(above + at % width)
        found["b"] = refer(above + (at + 1) % width)
    return found


def _one(change: str) -> str:
    return f'${{count.index == 0 ? "{change}" : "0"}}' if change else "0"


def _guess(change: str) -> str:
    return f'if $each.key == 0 then "{change}" else "0" end'
