"""`python -m dirigent` and the `dirigent` script."""

from __future__ import annotations

from dirigent.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
