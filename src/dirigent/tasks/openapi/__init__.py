"""Calls of operations that an OpenAPI document describes: 2.0, 3.0 and 3.1.

The document is data from outside: it may say what a request looks like, never where a secret goes.
"""

from dirigent.tasks.openapi.call import OpenApiPerformer
from dirigent.tasks.openapi.document import within

__all__ = ["OpenApiPerformer", "within"]
