"""What may stand where in a workflow document: tables, and nothing else.

The standard closes every object but the document itself and free maps; so do these tables. Names,
directives and the inside of expressions are the lowering's concern. Register a new kind of task in
`kinds.KINDS`, a call in `calls.CALLS`, a run in `runs.RUNS`, an authentication in
`network.security.CREDENTIALS`, a part of `use` in `document.USE`.
"""

from dirigent.lang.workflow.shapes.document import DOCUMENT, USE
from dirigent.lang.workflow.shapes.kinds import DEFINITIONS, KINDS

__all__ = ["DEFINITIONS", "DOCUMENT", "KINDS", "USE"]
