"""Events by pure functions: whether one is well formed, and whether it is what somebody waits for."""
