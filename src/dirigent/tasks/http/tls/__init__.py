"""TLS of every call: whom it trusts, what it shows of itself, and in what words it fails."""
