"""Templates become values: what is known now, what differs, and how providers are configured."""
