"""A run in values: what its journal records, what it asks of the engine, how an effect can end."""
