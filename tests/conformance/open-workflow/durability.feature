Feature: Durability
  As an implementer of the workflow DSL
  I want to ensure that a workflow goes on after its runtime was restarted
  So that my implementation conforms to the expected behavior

  # Tests that a wait goes on where it was, and neither begins anew nor ends early
  Scenario: Restart While Waiting
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: restart-while-waiting
      version: '1.0.0'
    do:
      - pause:
          wait: PT1H
      - after:
          set:
            waited: true
    """
    When the workflow is executed, and the runtime is restarted at every step
    Then the workflow should complete with output:
    """yaml
    waited: true
    """
    And the workflow should take 'PT1H'

  # Tests that tasks which are done are not done again
  Scenario: Restart Between Tasks
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: restart-between-tasks
      version: '1.0.0'
    do:
      - first:
          call: http
          with:
            method: get
            endpoint: https://service.example/first
      - pause:
          wait: PT1M
      - second:
          call: http
          with:
            method: get
            endpoint: https://service.example/second
    """
    And given 'GET https://service.example/first' answers in turn:
    """yaml
    - status: 200
      body: one
    """
    And given 'GET https://service.example/second' answers in turn:
    """yaml
    - status: 200
      body: two
    """
    When the workflow is executed, and the runtime is restarted at every step
    Then the workflow should complete with output:
    """yaml
    two
    """

  # Tests that a restart neither spends an attempt nor gives one back
  Scenario: Restart Between Retries
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: restart-between-retries
      version: '1.0.0'
    do:
      - attempt:
          try:
            - fail:
                raise:
                  error:
                    type: https://errors.example/away
                    status: 503
          catch:
            as: problem
            retry:
              delay: PT10S
              limit:
                attempt:
                  count: 3
            do:
              - handle:
                  set:
                    gaveUp: true
    """
    When the workflow is executed, and the runtime is restarted at every step
    Then the workflow should complete with output:
    """yaml
    gaveUp: true
    """
    And the workflow should take 'PT30S'
    And fail should run 4 times

  # Tests that a loop goes on with the item at which it was
  Scenario: Restart In A Loop
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: restart-in-a-loop
      version: '1.0.0'
    do:
      - each:
          for:
            each: item
            in: ${ .items }
          do:
            - pause:
                wait: PT1S
            - add:
                set:
                  sum: ${ (.sum // 0) + $item }
    """
    And given the workflow input is:
    """yaml
    items: [1, 2, 3]
    """
    When the workflow is executed, and the runtime is restarted at every step
    Then the workflow should complete with output:
    """yaml
    sum: 6
    """
    And add should run 3 times
    And the workflow should take 'PT3S'

  # Tests that branches which are done stay done, and the others go on
  Scenario: Restart In A Fork
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: restart-in-a-fork
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - quick:
                  set:
                    a: 1
              - slow:
                  do:
                    - pause:
                        wait: PT1M
                    - end:
                        set:
                          b: 2
    """
    When the workflow is executed, and the runtime is restarted at every step
    Then the workflow should complete with output:
    """yaml
    - a: 1
    - b: 2
    """
    And the workflow should take 'PT1M'

  # Tests that what was exported is still there
  Scenario: Context Survives A Restart
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: context-survives-a-restart
      version: '1.0.0'
    do:
      - first:
          set:
            a: 1
          export:
            as: ${ . }
      - pause:
          wait: PT1M
      - second:
          set:
            found: ${ $context.a }
    """
    When the workflow is executed, and the runtime is restarted at every step
    Then the workflow should complete with output:
    """yaml
    found: 1
    """

  # Tests that the start of the workflow is the same before and after
  Scenario: Time Stands Still In A Restart
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: time-stands-still-in-a-restart
      version: '1.0.0'
    do:
      - before:
          set:
            at: ${ $workflow.startedAt }
      - pause:
          wait: PT1H
      - after:
          set:
            same: ${ .at == $workflow.startedAt }
    """
    When the workflow is executed, and the runtime is restarted at every step
    Then the workflow should complete with output:
    """yaml
    same: true
    """
