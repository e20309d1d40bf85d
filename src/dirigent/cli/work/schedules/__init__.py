"""The work of `schedule`, and what `up` and `down` do about schedules."""
