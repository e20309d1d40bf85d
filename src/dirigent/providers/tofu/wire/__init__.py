"""The plugin protocol on the wire: messages by number, calls by name, versions 5 and 6."""
