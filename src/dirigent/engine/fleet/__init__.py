"""Shards and who drives them: an engine of its own for each shard that this process owns.

Law 1: losing a shard is a crash of its engine alone. Law 2: nothing is begun for a shard that was lost.
"""
