"""What identifies an object of a type for good, where its provider says so: newer ones do."""

from __future__ import annotations

import json
from collections.abc import Mapping

from google.protobuf.message import Message

from dirigent.model.record import dataclass
from dirigent.model.values import Unknown, Value
from dirigent.providers.tofu.values.types import Structure, read_type


@dataclass(frozen=True, slots=True)
class IdentitySchema:
    """The attributes of an identity. `required` are those without which nothing can be looked up."""

    version: int
    kind: Structure
    required: tuple[str, ...] = ()

    def identifies(self, identity: Mapping[str, Value] | None) -> bool:
        """Return whether an object can be looked up under an identity."""
        if not identity:
            return False
        values = [identity.get(name) for name in self.required]
        return all(value is not None and not isinstance(value, Unknown) for value in values) and not any(
            isinstance(value, Unknown) for value in identity.values()
        )


def identity_of(text: str) -> str | dict[str, Value]:
    """Return the identity that a text is in JSON, else the text: then it is an import id."""
    if not text.startswith("{"):
        return text
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return text
    return found if isinstance(found, dict) else text


def read_identities(answer: Message) -> dict[str, IdentitySchema]:
    """Return the schemas in an answer to `GetResourceIdentitySchemas`, by type. Raises `NoType`."""
    return {name: _schema(answer.identity_schemas[name]) for name in sorted(answer.identity_schemas)}


def _schema(message: Message) -> IdentitySchema:
    attributes = list(message.identity_attributes)
    return IdentitySchema(
        int(message.version),
        Structure({str(each.name): read_type(each.type) for each in attributes}),
        tuple(str(each.name) for each in attributes if each.required_for_import),
    )
