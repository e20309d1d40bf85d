"""One stack file goes in; one plan, one durable engine, and a system held to its goals come out."""

__version__ = "0.1.0"
