"""What a run has come to, kept so that its journal need not be folded from the beginning.

Here and not in `core`, whose floor is pure: an object is written once, and found again by its identity.
"""
