"""Shapes of places on the network, and of the credentials that they ask for."""
