"""How facts get into the database: the fence of a shard, one statement for all that has queued up."""
