Feature: Schemas
  As an implementer of the workflow DSL
  I want to ensure that data is validated where a schema says so
  So that my implementation conforms to the expected behavior

  # Tests that valid input passes
  Scenario: Valid Workflow Input
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: valid-workflow-input
      version: '1.0.0'
    input:
      schema:
        format: json
        document:
          type: object
          required: [name]
          properties:
            name:
              type: string
    do:
      - greet:
          set:
            greeting: ${ "Hello " + .name }
    """
    And given the workflow input is:
    """yaml
    name: Ada
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    greeting: Hello Ada
    """

  # Tests that invalid input is a validation error, and that no task runs
  Scenario: Invalid Workflow Input
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: invalid-workflow-input
      version: '1.0.0'
    input:
      schema:
        format: json
        document:
          type: object
          required: [name]
    do:
      - greet:
          set:
            greeting: hello
    """
    And given the workflow input is:
    """yaml
    age: 36
    """
    When the workflow is executed
    Then the workflow should fault
    And the error should have properties:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/validation
    status: 400
    """
    And greet should not run

  # Tests that the schema of a task's input judges what comes in, before it is filtered
  Scenario: Schema Before Filter
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: schema-before-filter
      version: '1.0.0'
    do:
      - first:
          set:
            user:
              name: Ada
      - second:
          input:
            schema:
              document:
                type: object
                required: [user]
            from: ${ .user }
          set:
            name: ${ .name }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    name: Ada
    """

  # Tests that the schema of the output judges what comes out, after it was filtered
  Scenario: Output Schema After Filter
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: output-schema-after-filter
      version: '1.0.0'
    do:
      - make:
          set:
            count: 3
          output:
            as: ${ .count }
            schema:
              document:
                type: object
    """
    When the workflow is executed
    Then the workflow should fault
    And the error should have properties:
    """yaml
    status: 400
    instance: /do/0/make
    """

  # Tests that the schema of an export judges the new context
  Scenario: Invalid Export
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: invalid-export
      version: '1.0.0'
    do:
      - make:
          set:
            count: 3
          export:
            as:
              total: ${ .count }
            schema:
              document:
                properties:
                  total:
                    type: string
    """
    When the workflow is executed
    Then the workflow should fault
    And the error should have properties:
    """yaml
    status: 400
    instance: /do/0/make
    """
