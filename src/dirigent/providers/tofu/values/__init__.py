"""Values as providers know them: nine kinds of types, null, unknown, and their coding in MessagePack."""
