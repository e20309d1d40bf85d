"""What commands do, one module for each family of `cli.commands`; imported when a command is called."""
