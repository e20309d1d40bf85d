"""The two tasks about events: `emit` tells everybody, `listen` waits for what others tell."""
