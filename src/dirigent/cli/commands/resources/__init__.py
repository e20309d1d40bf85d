"""Declares the commands about what is managed beyond plans and runs."""
