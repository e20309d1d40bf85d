"""JSON Schema: values are checked against schemas that users write. Nothing is ever fetched.

The validator is imported with the first schema: most documents have none.
"""

from __future__ import annotations

import importlib
from typing import Final, Protocol, cast

from dirigent.model.values import Value

VALIDATOR: Final = "dirigent.lang.validator"


class _Validator(Protocol):
    """What `dirigent.lang.validator` offers."""

    def violation(self, schema: Value, value: Value) -> str | None:
        """Return the first violation in words with its path, or None."""
        ...

    def schema_fault(self, schema: Value) -> str | None:
        """Return why a schema itself is not valid; None if it is."""
        ...


class _JsonSchemas:
    """Fits the port `Schemas`. A schema that is itself not valid is a violation of every value."""

    def violation(self, schema: Value, value: Value) -> str | None:
        """Return the first violation in words with its path, or None when the value is valid."""
        return _validator().violation(schema, value)


SCHEMAS: Final = _JsonSchemas()


def schema_fault(schema: Value) -> str | None:
    """Return why a schema itself is not valid, as an unknown type or a remote reference; None if it is."""
    return _validator().schema_fault(schema)


def _validator() -> _Validator:
    return cast("_Validator", importlib.import_module(VALIDATOR))
