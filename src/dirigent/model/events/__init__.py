"""Events as values: what they look like, which ones somebody waits for, and regular expressions over them."""
