"""Work that reaches outside: calls and processes. The requests here are the performers' contract.

Register the lowering of a call of a protocol in `kinds.CALLS`, of a `run` in `runs.RUNS`, of an
authentication in `security.SCHEMES`; what it needs of the document is in `endpoints` and `security`.
"""
