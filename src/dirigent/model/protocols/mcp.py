"""The methods of MCP that can be called, and the version that is offered."""

from __future__ import annotations

from typing import Final

METHODS: Final = (
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/read",
    "resources/templates/list",
)
# What the client offers unless a document says otherwise; the server may answer with another one.
VERSION: Final = "2025-06-18"
