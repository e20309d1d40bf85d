"""What `dirigent init` writes: the smallest stack that does something real."""

from __future__ import annotations

import re
from typing import Final

_STACK: Final = """\
# A stack: what shall be. `dirigent check` reads it, `dirigent plan` says what would change.
stack: {name}
description: A greeting, kept in a file and served.

inputs:
  greeting:
    type: string
    default: Hello

resources:
  site:
    type: directory
    with: {{path: site}}

  page:
    type: file
    with:
      path: ${{ $resources.site.path + "/index.html" }}
      content: ${{ $inputs.greeting + ", world!\\n" }}

  web:
    type: service
    runtime: process
    with:
      command: [python3, -m, http.server, "{{port}}", --bind, 127.0.0.1]
      directory: ${{ $resources.site.path }}
      health: {{http: /}}
    replicas: 1

workflows:
  visit:
    from: workflows/visit.yaml
    input: {{url: "${{ $resources.web.url }}"}}

outputs:
  url: ${{ $resources.web.url }}
"""

_WORKFLOW: Final = """\
# A workflow in the Open Workflow DSL (CNCF): it fetches the page that the stack serves.
document: {{dsl: 1.0.3, namespace: {name}, name: visit, version: 1.0.0}}
do:
  - fetch:
      try:
        - get:
            call: http
            with:
              method: get
              endpoint: ${{ .url + "/index.html" }}
      catch:
        when: ${{ $error.status >= 500 }}
        retry: {{delay: {{seconds: 1}}, limit: {{attempt: {{count: 3}}}}}}
  - answer:
      set: {{page: "${{ . }}"}}
"""

_IGNORED: Final = ".dirigent/\n"


def stack_files(name: str) -> dict[str, str]:
    """Return the files of a new stack, by path."""
    return {
        "stack.yaml": _STACK.format(name=name),
        "workflows/visit.yaml": _WORKFLOW.format(name=name),
        ".gitignore": _IGNORED,
    }


def name_from(folder: str) -> str:
    """Return a stack name made from the name of a folder: a DNS label."""
    label = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[:63].strip("-")
    return label or "stack"
