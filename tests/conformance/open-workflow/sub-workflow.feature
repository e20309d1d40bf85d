Feature: Sub-Workflows
  As an implementer of the workflow DSL
  I want to ensure that workflows can run other workflows
  So that my implementation conforms to the expected behavior

  # Tests that the output of a sub-workflow is that of the task, and that it gets the input which is named
  Scenario: Sub-Workflow Output
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: sub-workflow-output
      version: '1.0.0'
    do:
      - delegate:
          run:
            workflow:
              namespace: default
              name: child
              version: '1.0.0'
              input:
                n: ${ .n }
    """
    And given another workflow is deployed:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: child
      version: '1.0.0'
    do:
      - double:
          set:
            double: ${ .n * 2 }
    """
    And given the workflow input is:
    """yaml
    n: 21
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    double: 42
    """

  # Tests that neither sees the context of the other
  Scenario: Sub-Workflow Has Its Own Context
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: sub-workflow-has-its-own-context
      version: '1.0.0'
    do:
      - mine:
          set:
            x: 1
          export:
            as: ${ . }
      - delegate:
          run:
            workflow:
              namespace: default
              name: child
              version: '1.0.0'
      - look:
          set:
            mine: ${ $context }
            child: ${ . }
    """
    And given another workflow is deployed:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: child
      version: '1.0.0'
    do:
      - look:
          set:
            empty: ${ ($context // {}) == {} }
          export:
            as:
              x: 2
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    mine:
      x: 1
    child:
      empty: true
    """

  # Tests that the error of a sub-workflow is one of the task, and can be caught
  Scenario: Sub-Workflow Fails
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: sub-workflow-fails
      version: '1.0.0'
    do:
      - guarded:
          try:
            - delegate:
                run:
                  workflow:
                    namespace: default
                    name: child
                    version: '1.0.0'
          catch:
            as: problem
            do:
              - handle:
                  set:
                    status: ${ $problem.status }
                    instance: ${ $problem.instance }
    """
    And given another workflow is deployed:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: child
      version: '1.0.0'
    do:
      - fail:
          raise:
            error:
              type: https://errors.example/teapot
              status: 418
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    status: 418
    instance: /do/0/guarded/try/0/delegate
    """

  # Tests that a task which does not wait passes its input on at once
  Scenario: Sub-Workflow Is Not Awaited
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: sub-workflow-is-not-awaited
      version: '1.0.0'
    do:
      - delegate:
          run:
            workflow:
              namespace: default
              name: child
              version: '1.0.0'
            await: false
    """
    And given another workflow is deployed:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: child
      version: '1.0.0'
    do:
      - pause:
          wait: PT1H
    """
    And given the workflow input is:
    """yaml
    city: Paris
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    city: Paris
    """
    And the workflow should take 'PT0S'

  # Tests that a sub-workflow does not outlive a parent that waits for it
  Scenario: Sub-Workflow Is Cancelled With Its Parent
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: sub-workflow-is-cancelled-with-its-parent
      version: '1.0.0'
    do:
      - delegate:
          run:
            workflow:
              namespace: default
              name: child
              version: '1.0.0'
    """
    And given another workflow is deployed:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: child
      version: '1.0.0'
    do:
      - pause:
          wait: PT1H
    """
    And given the workflow is cancelled after 'PT5M'
    When the workflow is executed
    Then the workflow should be cancelled
    And the workflow should take 'PT5M'

  # Tests that a workflow which is not there is an error of the task
  Scenario: Unknown Sub-Workflow
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: unknown-sub-workflow
      version: '1.0.0'
    do:
      - delegate:
          run:
            workflow:
              namespace: default
              name: child
              version: '1.0.0'
    """
    When the workflow is executed
    Then the workflow should fault
    And the error should have properties:
    """yaml
    instance: /do/0/delegate
    """
