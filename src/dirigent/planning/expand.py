"""One declared resource becomes its instances: one, `count` of them, or one for `each` item."""

from __future__ import annotations

from dirigent.model import limits
from dirigent.model.ids import Address, address_of
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.resource import Resource
from dirigent.model.values import Template, Unknown, Value, has_unknown

_KEY_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance. `key` is an index for `count`, a text for `each`; `each` is the value of `$each`."""

    resource: Resource
    address: Address
    key: int | str | None = None
    each: Value = None

    @property
    def variables(self) -> dict[str, Value]:
        """Return the variables that only this instance sees."""
        return {} if self.key is None else {"each": self.each}


def is_counted(resource: Resource) -> bool:
    """Return whether the instances make a list under `$resources.NAME`."""
    return resource.count is not None


def is_keyed(resource: Resource) -> bool:
    """Return whether the instances make an object under `$resources.NAME`."""
    return resource.each is not None


def repeats(resource: Resource) -> Template:
    """Return the template that decides how many instances there are, None for exactly one."""
    return resource.count if is_counted(resource) else resource.each


def expand(resource: Resource, repeated: Value) -> list[Instance]:
    """Return the instances, given the value of `repeats(resource)`, in order of index or of declaration.

    Raises:
        Refusal: a count that is no count (E2005), an `each` that cannot be used (E2006), either not
            known before apply (E2007), or more instances than a plan may have (E2009).
    """
    if is_counted(resource) and is_keyed(resource):
        raise _refusal("E2006", resource, "has both `count` and `each`", "keep one of them")
    if not is_counted(resource) and not is_keyed(resource):
        return [Instance(resource, address_of(resource.name, None))]
    if has_unknown(repeated):
        raise _unknown(resource, repeated)
    if is_counted(resource):
        return _counted(resource, repeated)
    return _keyed(resource, repeated)


def _counted(resource: Resource, count: Value) -> list[Instance]:
    if isinstance(count, float) and count.is_integer():
        count = int(count)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise _refusal("E2005", resource, f"has `count` `{count}`", "give a whole number from 0 on")
    _refuse_many(resource, count)
    return [
        Instance(resource, address_of(resource.name, index), index, {"key": index, "value": index})
        for index in range(count)
    ]


def _keyed(resource: Resource, each: Value) -> list[Instance]:
    if isinstance(each, dict):
        items: list[tuple[str, Value]] = list(each.items())
    elif isinstance(each, list):
        items = [(_key_of(resource, item), item) for item in each]
    else:
        raise _refusal("E2006", resource, f"has `each` `{each}`", "give a list of scalars, or an object")
    _refuse_many(resource, len(items))
    seen: dict[str, None] = {}
    for key, _ in items:
        if key in seen:
            raise _refusal("E2006", resource, f"has `{key}` twice in `each`", "every item must be unique")
        if not key or len(key) > _KEY_CHARACTERS or not key.isprintable() or '"' in key:
            hint = f"use 1 to {_KEY_CHARACTERS} printable characters without a double quote"
            raise _refusal("E2006", resource, f"cannot have `{key[:_KEY_CHARACTERS]}` as a key", hint)
        seen[key] = None
    return [
        Instance(resource, address_of(resource.name, key), key, {"key": key, "value": value})
        for key, value in items
    ]


def _key_of(resource: Resource, item: Value) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, int | float) and not isinstance(item, bool):
        return str(item)
    shown = type(item).__name__ if isinstance(item, list | dict) else item
    hint = (
        "a list may hold texts and numbers; for anything else give an object, whose keys name the instances"
    )
    raise _refusal("E2006", resource, f"has `{shown}` in the list of `each`", hint)


def _refuse_many(resource: Resource, count: int) -> None:
    if count > limits.GRAPH_TASKS:
        raise _refusal(
            "E2009", resource, f"would have `{count}` instances", f"at most {limits.GRAPH_TASKS} are possible"
        )


def _unknown(resource: Resource, value: Value) -> Refusal:
    word = "count" if is_counted(resource) else "each"
    needs = value.needs if isinstance(value, Unknown) else ()
    after = " and ".join(f"`{need}`" for need in needs) or "other resources"
    return _refusal(
        "E2007",
        resource,
        f"has a `{word}` that is known only after {after} has been applied",
        f"apply {after} first, or compute `{word}` from `$inputs`",
    )


def _refusal(code: str, resource: Resource, what: str, remedy: str) -> Refusal:
    word = "count" if is_counted(resource) else "each"
    at = resource.spans.get(word) or resource.span
    return Refusal([Problem(code, f"`{resource.name}` {what}", at=at, help=(remedy,))])
