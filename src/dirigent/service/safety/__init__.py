"""What makes changes safe: who may change what at the same time, and the way back."""
