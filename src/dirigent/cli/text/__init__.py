"""Answers for people: problems with their frames, plans, runs, and the live picture."""
