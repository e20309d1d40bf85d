"""What a plan does with the rows of the state before it looks at what each shall be."""
