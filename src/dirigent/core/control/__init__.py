"""What people may do to a run beside stopping it: have it go on from a task, and answer for a task."""
