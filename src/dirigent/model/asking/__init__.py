"""What a command asks of an engine of another process, and what it is answered."""
