"""The contest: engines on the same workloads, one after the other, measured from outside."""
