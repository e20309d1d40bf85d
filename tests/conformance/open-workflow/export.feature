Feature: Export
  As an implementer of the workflow DSL
  I want to ensure that tasks can write the context of the workflow
  So that my implementation conforms to the expected behavior

  # Tests that what is exported is the context of the tasks that follow
  Scenario: Export Replaces Context
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: export-replaces-context
      version: '1.0.0'
    do:
      - first:
          set:
            price: 3
          export:
            as:
              price: ${ .price }
      - second:
          set:
            price: ${ $context.price * 2 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    price: 6
    """

  # Tests that an export sees the context that it replaces
  Scenario: Export Extends Context
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: export-extends-context
      version: '1.0.0'
    do:
      - first:
          set:
            a: 1
          export:
            as: "${ $context + {a: .a} }"
      - second:
          set:
            b: 2
          export:
            as: "${ $context + {b: .b} }"
      - third:
          set: ${ $context }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    a: 1
    b: 2
    """

  # Tests that nothing is in the context before the first export
  Scenario: Context Starts As Null Or Empty
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: context-starts-as-null-or-empty
      version: '1.0.0'
    do:
      - look:
          set:
            empty: ${ ($context // {}) == {} }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    empty: true
    """

  # Tests that the output of a task is not in the context unless it is exported
  Scenario: Output Is Not Exported
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: output-is-not-exported
      version: '1.0.0'
    do:
      - first:
          set:
            secret: 42
      - second:
          set:
            known: ${ ($context // {}) | has("secret") }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    known: false
    """
