"""The work of commands that have an engine which runs plan for them."""
