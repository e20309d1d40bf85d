"""Schedules: each is a run that waits for its times and starts the runs of a workflow, one for each."""
