"""The tasks about events and messages: `emit`, `listen`, and what takes the messages of a stream."""
