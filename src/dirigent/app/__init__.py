"""The composition root: the only room that knows every adapter. It wires, and decides nothing.

One module for each depth, so that a command imports no more than it needs: `stacks` reads documents,
`looking` reads a store, `planning` adds providers, `conducting` adds the engine.
"""
