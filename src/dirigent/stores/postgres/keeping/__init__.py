"""What a store in a database keeps beside its runs, and is relieved of: large values, deaths, old runs."""
