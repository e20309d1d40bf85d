"""Calls of operations that an AsyncAPI document describes: messages out, and messages in.

A message that came in is acknowledged only when the journal holds it.
"""
