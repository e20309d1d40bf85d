"""What the protocols that calls speak are made of: a document names it, and a performer sends it."""
