"""Where providers come from: addresses, versions, locks, mirrors, registries, and the folder they run from.

Rule 1: what runs is what the lock names by hash; it is hashed anew at each start.
Rule 2: to plan and to apply fetch nothing. Only `dirigent providers` asks a network.
"""
