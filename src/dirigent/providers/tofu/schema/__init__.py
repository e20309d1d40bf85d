"""What a provider says of its types: attributes, nested blocks, and the type of value that they come to."""
