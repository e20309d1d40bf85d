"""The section `providers`: for editors, each entry with the configuration that its provider takes."""

from __future__ import annotations

from dirigent.lang.shape import Form, Place, Shape
from dirigent.lang.stack.outside.types import Provided
from dirigent.model.record import dataclass
from dirigent.model.values import Value


@dataclass(frozen=True, slots=True)
class SectionShape:
    """The entries, of one shape. What stands under `with` of a known one is checked when it is read."""

    entries: Shape
    provided: Provided

    @property
    def what(self) -> str:
        """Return the shape in words."""
        return self.entries.what

    def inspect(self, place: Place) -> None:
        """Go on with the entries."""
        place.stay(self.entries)

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        written = self.entries.schema(form)
        inner = Form(templates=True)
        known: dict[str, Value] = {
            name: {"properties": {"with": offer.setup.schema(inner)}}
            for name, offer in self.provided.offers.items()
        }
        return {**written, "allOf": [{"properties": known}]} if known else written
