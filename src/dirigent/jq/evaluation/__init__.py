"""Trees become closures that evaluate, within budgets, on plain Python values."""
