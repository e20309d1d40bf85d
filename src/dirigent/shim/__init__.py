"""Processes that outlive us: a tiny supervisor, and the ways to start, watch and stop it.

What runs under a supervisor imports the standard library only and reads every limit from its order.
One order is started at most once, whoever starts it and however often; its end is on disk before
anybody is told. Nothing here knows what a run, a task or a resource is.
"""
