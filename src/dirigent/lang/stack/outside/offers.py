"""What providers offer: the shapes of their types, as the reader of a stack wants them.

The reader stays pure: it says which providers a text declares, and is handed what is known of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Final, TypeAlias

from dirigent.lang.shape import AnyValue, Field, MapOf, Record, Shape
from dirigent.model.problem import Problem
from dirigent.model.record import dataclass
from dirigent.model.stack import ProviderSetup


@dataclass(frozen=True, slots=True)
class TypeShape:
    """What a resource type allows: keys `beside` the common ones, and what lies `inside` of `with`.

    Any value may be an expression; wrap what must be written out in `Fixed`. `demanded` says that `with` must
    stand there; a record tells it by itself.
    """

    inside: Shape
    beside: Mapping[str, Field] = field(default_factory=dict)
    description: str = ""
    demanded: bool = False

    @property
    def wanted(self) -> bool:
        """Return whether `with` must stand there."""
        inside = self.inside
        fields = inside.fields.values() if isinstance(inside, Record) else ()
        return self.demanded or any(each.required for each in fields)


@dataclass(frozen=True, slots=True)
class Offer:
    """What is known of one provider: its types by name, and the shape of its own configuration.

    A shape may be made when its type is looked up, for a provider may have a thousand of them. `looks` are
    by `read`, `open` and `call`: data sources, ephemeral types and functions; of a missing key nothing is
    known.
    """

    types: Mapping[str, TypeShape]
    setup: Shape
    looks: Mapping[str, Mapping[str, TypeShape]] = field(default_factory=dict)


Offers: TypeAlias = Callable[[Mapping[str, ProviderSetup]], Mapping[str, Offer | Problem | None]]
"""Return what is known of providers, by their names in the text, or why nothing is, to be shown there.

They are as the text declares them, without their configurations.

Of a provider that is left out, or None, nothing is known, and nothing is said: all goes.
"""

# What is known of a type before its provider was asked: nothing.
ANYTHING: Final = TypeShape(MapOf(AnyValue()))


def nothing_known(_declared: Mapping[str, ProviderSetup]) -> Mapping[str, Offer | Problem | None]:
    """Know nothing of any provider."""
    return {}
