"""Schedules of stacks: made active, listed, looked ahead, paused, filled up."""
