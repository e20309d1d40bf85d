"""Calls of MCP servers, over streamable HTTP or the pipes of a process of our own.

A call is a session: initialise, ask once, part. Nothing is kept between calls.
"""

from dirigent.tasks.mcp.call import McpPerformer

__all__ = ["McpPerformer"]
