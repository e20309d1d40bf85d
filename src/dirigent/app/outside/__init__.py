"""What an engine has to do with the world outside beside its tasks. Imported when it is wanted."""
