"""Use cases: what a user can ask for. Every face (command line, later API and console) calls these.

A use case takes what it needs as arguments and returns values or raises `Refusal`; it prints nothing.
"""
