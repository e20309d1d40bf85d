"""The part `checks` of a resource, and the section of that name: what must hold, and what is said if not."""
