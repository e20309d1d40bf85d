"""The side of the engine: stacks that stay read and providers that stay started, from plan to plan."""
