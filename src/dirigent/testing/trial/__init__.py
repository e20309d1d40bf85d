"""The stage on which tests of workflows are played, and the judge of how they end."""
