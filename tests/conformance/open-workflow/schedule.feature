Feature: Schedules
  As an implementer of the workflow DSL
  I want to ensure that workflows start by themselves when their schedule says so
  So that my implementation conforms to the expected behavior

  # Tests that a workflow starts at an interval
  Scenario: Every
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: every
      version: '1.0.0'
    schedule:
      every: PT10M
    do:
      - work:
          set:
            done: true
    """
    When the workflow is deployed for 'PT1H'
    Then the workflow should have started 6 times

  # Tests a cron expression: the clock is at midnight of the first of January when the workflow is deployed
  Scenario: Cron
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: cron
      version: '1.0.0'
    schedule:
      cron: '*/15 * * * *'
    do:
      - work:
          set:
            done: true
    """
    When the workflow is deployed for 'PT1H'
    Then the workflow should have started 4 times

  # Tests that a workflow starts a while after its last run has ended
  Scenario: After
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: after
      version: '1.0.0'
    schedule:
      after: PT20M
    do:
      - work:
          set:
            done: true
    """
    When the workflow is deployed for 'PT1H'
    Then the workflow should have started 3 times

  # Tests that an event starts a workflow
  Scenario: On Event
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: on-event
      version: '1.0.0'
    schedule:
      on:
        one:
          with:
            type: com.shop.paid
    do:
      - work:
          set:
            done: true
    """
    And given the event is published after 'PT10M':
    """yaml
    id: com.shop.paid-PT10M
    source: https://shop.example
    type: com.shop.paid
    data:
      n: 1
    """
    And given the event is published after 'PT15M':
    """yaml
    id: com.shop.opened-PT15M
    source: https://shop.example
    type: com.shop.opened
    data:
      n: 1
    """
    And given the event is published after 'PT20M':
    """yaml
    id: com.shop.paid-PT20M
    source: https://shop.example
    type: com.shop.paid
    data:
      n: 2
    """
    When the workflow is deployed for 'PT1H'
    Then the workflow should have started 2 times
