"""Processes of providers: how they start, what they say, how they are called, and how they end."""

import os

# The library of gRPC tells of every provider that ends, on the terminal of whoever looks on; we do so
# ourselves. It reads this when it is first imported, which is from here.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
