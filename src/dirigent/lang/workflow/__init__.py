"""The front-end of the Open Workflow Specification (CNCF DSL 1.0.x): documents become programs.

Two passes over one positioned tree: the shapes say what may stand where, the lowering checks names,
expressions and directives and builds the program. Both go on after a mistake, so that a document
shows all of its problems at once. How the standard is read where it is silent: see
`docs/open-workflow/interpretation.md`.
"""
