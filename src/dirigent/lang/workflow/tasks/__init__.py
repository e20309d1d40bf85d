"""What a task does. Register a new kind of task in `kinds.KINDS`, its shape in `shapes.kinds.KINDS`."""
