"""What the tasks of a plan see, module by module: `$resources` and `$inputs` of each.

Law: an end of one task makes anew only what is shown under the name of its resource.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from dirigent.model.ids import split_address, split_path
from dirigent.model.resource import assemble
from dirigent.model.values import Value

# Names of inputs and outputs have no quotes, so this is never the end of a key.
_BRIDGE: Final = re.compile(r"(?P<module>.*)/\$(?P<kind>inputs|outputs)\.(?P<name>[^\"/]+)", re.DOTALL)


def input_name(module: str, name: str) -> str:
    """Return the name of an input of a module, as `net/$inputs.cidr`."""
    return f"{module}/$inputs.{name}"


def output_name(module: str, name: str) -> str:
    """Return the name of an output of a module, as `net/$outputs.subnet`."""
    return f"{module}/$outputs.{name}"


class Views:
    """What each module of a graph shows; what is assembled once is kept until something in it changes."""

    def __init__(self, scopes: Mapping[str, Mapping[str, Value]], values: Mapping[str, Value]) -> None:
        """Begin with the variables of each module, and values by address, or by the name of a bridge."""
        self._inputs: dict[str, dict[str, Value]] = {}
        for module, variables in scopes.items():
            given = variables.get("inputs")
            self._inputs[module] = dict(given) if isinstance(given, dict) else {}
        # By module, by the name of the resource, by address.
        self._members: dict[str, dict[str, dict[str, Value]]] = {}
        self._changed: dict[str, dict[str, None]] = {}
        self._assembled: dict[str, dict[str, Value]] = {}
        for name, value in values.items():
            self.put(name, value)

    def put(self, name: str, value: Value) -> None:
        """Take in what a task gave. What was shown before stays as it was."""
        bridge = _BRIDGE.fullmatch(name)
        if bridge is None:
            module, local = split_path(name)
        elif bridge["kind"] == "inputs":
            inputs = self._inputs.get(bridge["module"], {})
            self._inputs[bridge["module"]] = {**inputs, bridge["name"]: value}
            return
        else:
            module, local = split_path(bridge["module"])
            before = self._members.get(module, {}).get(split_address(local)[0], {}).get(local)
            value = {**(before if isinstance(before, dict) else {}), bridge["name"]: value}
        resource = split_address(local)[0]
        self._members.setdefault(module, {}).setdefault(resource, {})[local] = value
        self._changed.setdefault(module, {})[resource] = None

    def resources(self, module: str) -> Value:
        """Return `$resources` of a module, empty for the stack itself."""
        changed = self._changed.pop(module, None)
        if changed:
            # A copy: whoever was shown it before keeps what was shown.
            fresh = dict(self._assembled.get(module, {}))
            for resource in changed:
                fresh.update(assemble(self._members[module][resource]))
            self._assembled[module] = fresh
        return self._assembled.get(module, {})

    def whole(self) -> Value:
        """Return `$resources` of the stack itself, sorted by address."""
        members = self._members.get("", {})
        return assemble({address: value for each in members.values() for address, value in each.items()})

    def inputs(self, module: str) -> Value:
        """Return `$inputs` of a module."""
        return self._inputs.get(module, {})
