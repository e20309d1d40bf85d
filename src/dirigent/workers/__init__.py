"""Work outside the engine: the hub that hands steps out, and the processes that take them.

Law 1: a step is known by effect id and attempt; a result is held until the engine says that it is durable.
Law 2: code is found by name in the worker's own folder; over the wire go names and JSON, nothing else.
"""
