"""Lowering of the calls of one protocol each; `calls.kinds.CALLS` lists them."""
