"""Where journals live: the codec, the projection that every store shares, SQLite, and the engine's lock.

A store knows facts and rows; what they mean for a run is the core's affair.
"""
