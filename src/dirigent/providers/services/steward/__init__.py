"""The process that keeps one service: it outlives the engine and imports the standard library only."""
