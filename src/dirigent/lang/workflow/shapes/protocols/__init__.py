"""Shapes of the arguments (`with`) of calls of one protocol each; `shapes.calls.CALLS` lists them."""
