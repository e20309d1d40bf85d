"""What lies in the state directory beside the store: large values, the ballast, the witness."""
