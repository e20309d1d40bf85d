"""The work of `state`."""
