"""The sections about what we know of resources: `moved`, `forget` and `import`."""
