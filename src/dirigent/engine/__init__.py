"""Commands become effects here, and what comes of them becomes facts. The engine obeys; it never decides.

One engine per store. Nothing is done before its intent is durable, nothing is answered before its
result is; a run that only waits is in no task and in no coroutine, only in the heap of timers.
"""
