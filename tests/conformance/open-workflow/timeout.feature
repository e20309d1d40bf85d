Feature: Timeouts
  As an implementer of the workflow DSL
  I want to ensure that tasks and workflows end when they take too long
  So that my implementation conforms to the expected behavior

  # Tests that a task that takes too long raises a timeout error
  Scenario: Task Timeout
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: task-timeout
      version: '1.0.0'
    do:
      - slow:
          wait: PT1M
          timeout:
            after: PT5S
    """
    When the workflow is executed
    Then the workflow should fault
    And the error should have properties:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/timeout
    status: 408
    instance: /do/0/slow
    """
    And the workflow should take 'PT5S'

  # Tests that a timeout is an error like any other
  Scenario: Timeout Is Caught
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: timeout-is-caught
      version: '1.0.0'
    do:
      - guarded:
          try:
            - slow:
                wait: PT1M
                timeout:
                  after: PT5S
          catch:
            errors:
              with:
                type: https://serverlessworkflow.io/spec/1.0.0/errors/timeout
            do:
              - handle:
                  set:
                    late: true
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    late: true
    """
    And the workflow should take 'PT5S'

  # Tests that the timeout of a workflow ends it wherever it is
  Scenario: Workflow Timeout
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: workflow-timeout
      version: '1.0.0'
    timeout:
      after: PT30S
    do:
      - first:
          wait: PT20S
      - second:
          wait: PT20S
      - third:
          set:
            reached: true
    """
    When the workflow is executed
    Then the workflow should fault
    And the error should have properties:
    """yaml
    status: 408
    """
    And the workflow should take 'PT30S'
    And third should not run

  # Tests that a task that is in time is not disturbed by its timeout
  Scenario: Task In Time
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: task-in-time
      version: '1.0.0'
    do:
      - quick:
          wait: PT4S
          timeout:
            after: PT5S
      - after:
          wait: PT4S
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should take 'PT8S'

  # Tests that a timeout may be named
  Scenario: Reusable Timeout
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: reusable-timeout
      version: '1.0.0'
    use:
      timeouts:
        short:
          after: PT2S
    do:
      - slow:
          wait: PT1M
          timeout: short
    """
    When the workflow is executed
    Then the workflow should fault
    And the workflow should take 'PT2S'
