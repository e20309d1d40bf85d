"""What the core computes with: the expression language and the schemas."""

from __future__ import annotations

from typing import Final

from dirigent.core.machine import Tools
from dirigent.jq import LANGUAGE
from dirigent.lang.schema import SCHEMAS

TOOLS: Final = Tools(LANGUAGE, SCHEMAS)
