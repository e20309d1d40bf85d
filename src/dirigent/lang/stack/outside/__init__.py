"""What of a stack concerns the outside: where events go."""
