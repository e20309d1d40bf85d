"""What the providers of a stack offer. Imported only where a stack declares one."""
