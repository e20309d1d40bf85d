"""What a provider opens for a while: how it is named, how long it is open, what is asked for that."""
