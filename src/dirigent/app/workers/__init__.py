"""Workers put together: the engine's side, a worker, and the child process in which steps run."""
