"""What is managed: looked at, and taken from elsewhere."""
