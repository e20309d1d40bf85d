"""JSON-RPC 2.0 over the guarded client: what MCP and A2A have in common."""
