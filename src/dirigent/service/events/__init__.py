"""Events and the world outside: how they come in."""
