"""Members of a JSON document, taken one by one: what is of another form is refused with its place."""

from __future__ import annotations

from collections.abc import Iterator

from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.values import Value


@dataclass(frozen=True, slots=True)
class Members:
    """An object of the document at a place, such as `resources[3].instances[0]`."""

    found: dict[str, Value]
    place: str = ""

    def text(self, name: str, *, required: bool = False) -> str:
        """Return a text, empty where there is none. Raises `Refusal` (E3052)."""
        value = self.found.get(name)
        if isinstance(value, str) and (value or not required):
            return value
        if value is None and not required:
            return ""
        raise self.odd(name, "a text")

    def whole(self, name: str) -> int:
        """Return a whole number that is not negative, 0 where there is none."""
        value = self.found.get(name)
        if value is None:
            return 0
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        raise self.odd(name, "a whole number that is not negative")

    def flag(self, name: str) -> bool:
        """Return whether something is so."""
        value = self.found.get(name)
        if value is None or isinstance(value, bool):
            return value is True
        raise self.odd(name, "true or false")

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        items = self._items(name)
        if all(isinstance(each, str) for each in items):
            return tuple(str(each) for each in items)
        raise self.odd(name, "a list of texts")

    def table(self, name: str) -> dict[str, Value] | None:
        """Return an object as it stands, None where there is none."""
        value = self.found.get(name)
        if value is None or isinstance(value, dict):
            return value
        raise self.odd(name, "an object")

    def each(self, name: str) -> Iterator[Members]:
        """Yield the objects of a list."""
        for number, item in enumerate(self._items(name)):
            place = f"{self.at(name)}[{number}]"
            if not isinstance(item, dict):
                raise misshaped(place, "an object", item)
            yield Members(item, place)

    def lists(self, name: str) -> Iterator[tuple[str, list[Value]]]:
        """Yield the lists of a list, with their places."""
        for number, item in enumerate(self._items(name)):
            place = f"{self.at(name)}[{number}]"
            if not isinstance(item, list):
                raise misshaped(place, "a list", item)
            yield place, item

    def at(self, name: str) -> str:
        """Return the place of a member."""
        return f"{self.place}.{name}" if self.place else name

    def odd(self, name: str, wanted: str) -> Refusal:
        """Return the refusal of a member."""
        return misshaped(self.at(name), wanted, self.found.get(name))

    def _items(self, name: str) -> list[Value]:
        value = self.found.get(name)
        if value is None:
            return []
        if isinstance(value, list):
            return value
        raise self.odd(name, "a list")


def misshaped(place: str, wanted: str, value: Value) -> Refusal:
    """Return the refusal of what stands at a place; never what it holds, which may be a secret."""
    found = "nothing" if value is None else _kind(value)
    return refuse(
        "E3052",
        f"`{place}` of the state should be {wanted}, not {found}",
        "take the file as the tool wrote it: `terraform state pull` prints it",
        "nothing was imported",
    )


def _kind(value: Value) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text" if value else "an empty text"
        case list():
            return "a list"
        case _:
            return "an object"
