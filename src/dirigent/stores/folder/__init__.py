"""What lies in the state directory beside the store: large values, and the witness of what ends engines."""
