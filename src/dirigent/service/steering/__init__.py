"""What people do to runs beside stopping them: go on from a task, answer for one, run again."""
