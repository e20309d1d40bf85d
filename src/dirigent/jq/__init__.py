"""The expression language: jq, as far as it is provably bounded, evaluated in this process.

`LANGUAGE` is the one entrance. What it cannot evaluate itself it still parses: names, references
and syntax errors are known at check time; the value then comes from the libjq worker.
"""

from dirigent.jq.language import LANGUAGE

__all__ = ["LANGUAGE"]
