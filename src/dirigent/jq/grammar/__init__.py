"""Texts become trees: tokens, terms, operators, names. Nothing here evaluates."""
