"""Modules: stacks as resources of other stacks, laid out and instantiated."""
