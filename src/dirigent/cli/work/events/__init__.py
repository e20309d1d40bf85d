"""The work of the commands about events."""
