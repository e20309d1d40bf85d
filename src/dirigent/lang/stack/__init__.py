"""Stack files become `model.stack.Stack`. Closed documents: what is not known is refused."""

from dirigent.lang.stack.document import read_stack
from dirigent.lang.stack.reading import StackContext
from dirigent.lang.stack.shapes import TypeShape, stack_schema, stack_shape

__all__ = ["StackContext", "TypeShape", "read_stack", "stack_schema", "stack_shape"]
