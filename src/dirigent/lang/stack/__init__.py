"""Stack files become `model.stack.Stack`. Closed documents: what is not known is refused."""

from dirigent.lang.stack.document import declared_providers, read_stack
from dirigent.lang.stack.outside.offers import Offer, Offers, TypeShape, nothing_known
from dirigent.lang.stack.outside.types import Provided
from dirigent.lang.stack.reading import StackContext
from dirigent.lang.stack.shapes import own_types, stack_schema, stack_shape

__all__ = [
    "Offer",
    "Offers",
    "Provided",
    "StackContext",
    "TypeShape",
    "declared_providers",
    "nothing_known",
    "own_types",
    "read_stack",
    "stack_schema",
    "stack_shape",
]
