"""The work of commands about engines and stores as a whole."""
