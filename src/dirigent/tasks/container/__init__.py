"""Containers as effects: `run: container`, over the socket of Docker or Podman.

The runtime keeps a container whatever becomes of the engine; its labels say whose it is.
"""
