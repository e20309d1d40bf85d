"""Services: long-running programs with replicas, health, a stable address and rolling replacement.

The provider says what shall be; a steward process for each instance makes it so, goes on doing it
when the engine is gone, and says how it stands. They meet in one folder and nowhere else.
"""
