"""Why a row goes: in the words of the stack, or of the module, that no longer declares it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dirigent.model.ids import split_address, split_path
from dirigent.model.stack import Stack


def modules_of(addresses: Iterable[str]) -> frozenset[str]:
    """Return the addresses of all modules that something lies in."""
    found: set[str] = set()
    for address in addresses:
        module, _ = split_path(address)
        while module and module not in found:
            found.add(module)
            module, _ = split_path(module)
    return frozenset(found)


def why_gone(address: str, stack: Stack, standing: Collection[str]) -> str:
    """Return why nothing declares an address; `standing` are the modules in which something is declared."""
    home, at, rest = stack, "", address
    for module in _above(address):
        local = split_path(module)[1]
        name, _ = split_address(local)
        inside = home.modules.get(name)
        if inside is None or module not in standing:
            return _why(local, home, at)
        home, at, rest = inside.stack, module, split_path(address)[1]
    return _why(rest, home, at)


def _above(address: str) -> list[str]:
    """Return the modules that an address lies in, the outermost first."""
    found: list[str] = []
    module, _ = split_path(address)
    while module:
        found.append(module)
        module, _ = split_path(module)
    return found[::-1]


def _why(local: str, home: Stack, module: str) -> str:
    """Return why a stack, which is the module at `module` or the root, no longer has an instance."""
    name, key = split_address(local)
    resource = home.resources.get(name)
    shown = f"{module}/{name}" if module else name
    if resource is None:
        return f"removed from the module `{module}`" if module else "removed from the stack"
    if isinstance(key, int) and resource.count is not None:
        return f"`count` of `{shown}` no longer reaches it"
    if isinstance(key, str) and resource.each is not None:
        return f"`each` of `{shown}` no longer has `{key}`"
    return f"`{shown}` is declared in another shape"
