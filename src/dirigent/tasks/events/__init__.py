"""Events over the network: the endpoint where they come in."""
