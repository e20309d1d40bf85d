"""Resources of type `stack`: their files are read with the stack, and what passes the border is checked."""
