"""Runs and the runs that are steps of them: what is said to a parent holds for those that it waits for."""
