"""Providers as files: archives, folders, their hashes, the cache, and the program in it."""
