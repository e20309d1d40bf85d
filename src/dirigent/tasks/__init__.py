"""Performers: each carries out the effects of one function."""
