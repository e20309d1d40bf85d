"""Providers from elsewhere: registries and network mirrors, asked over HTTPS by whoever is given."""
