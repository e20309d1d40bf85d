"""Planted faults: engines that are wrong in ways that a crash test must notice."""

PLANTS = {}
