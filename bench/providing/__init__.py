"""The same provider under two tools: shapes of stacks, the tools, and what a command costs."""
