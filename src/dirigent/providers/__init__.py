"""Providers: each knows how to manage some types of resources."""
