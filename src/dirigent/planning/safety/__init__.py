"""What makes a change of the world safe: whom it would meet, and the way back."""
