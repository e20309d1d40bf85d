"""One module per family of commands; `cli.main` imports them by name when they are called."""
