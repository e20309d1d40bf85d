"""A provider of OpenTofu as one of ours: what stands, what would become of it, and the change itself."""
