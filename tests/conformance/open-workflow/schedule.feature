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
    When the workflow is deployed for 'PT65M'
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
    When the workflow is deployed for 'PT65M'
    Then the workflow should have started 4 times

  # Tests that a workflow starts at once, and a while after its last run has ended
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
    When the workflow is deployed for 'PT50M'
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
    When the workflow is deployed for 'PT1H', and the runtime is restarted at every step
    Then the workflow should have started 2 times

  # Tests that the input is a list of the whole events, and that two at once start two runs
  Scenario: On Two Events At Once
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: on-two-events-at-once
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
    id: '1'
    source: https://shop.example
    type: com.shop.paid
    data:
      order: 7
    """
    And given the event is published after 'PT10M':
    """yaml
    id: '2'
    source: https://shop.example
    type: com.shop.paid
    data:
      order: 8
    """
    When the workflow is deployed for 'PT1H', and the runtime is restarted at every step
    Then the workflow should have started, in this order, with the inputs:
    """yaml
    - - id: '1'
        type: com.shop.paid
        data:
          order: 7
    - - id: '2'
        type: com.shop.paid
        data:
          order: 8
    """

  # Tests that events which belong together start one run, and that no order waits for another
  Scenario: On Events Of One Order
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: on-events-of-one-order
      version: '1.0.0'
    schedule:
      on:
        all:
          - with:
              type: com.shop.paid
            correlate:
              order:
                from: .data.order
          - with:
              type: com.shop.packed
            correlate:
              order:
                from: .data.order
    do:
      - work:
          set:
            done: true
    """
    And given the event is published after 'PT1M':
    """yaml
    id: '1'
    source: https://shop.example
    type: com.shop.paid
    data:
      order: 7
    """
    And given the event is published after 'PT2M':
    """yaml
    id: '2'
    source: https://shop.example
    type: com.shop.paid
    data:
      order: 8
    """
    And given the event is published after 'PT3M':
    """yaml
    id: '3'
    source: https://shop.example
    type: com.shop.packed
    data:
      order: 8
    """
    And given the event is published after 'PT4M':
    """yaml
    id: '5'
    source: https://shop.example
    type: com.shop.packed
    data:
      order: 7
    """
    When the workflow is deployed for 'PT1H', and the runtime is restarted at every step
    Then the workflow should have started, in this order, with the inputs:
    """yaml
    - - id: '2'
      - id: '3'
    - - id: '1'
      - id: '5'
    """

  # Tests that an event which came too early for one run counts for the next
  Scenario: On Every Event In Its Turn
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: on-every-event-in-its-turn
      version: '1.0.0'
    schedule:
      on:
        all:
          - with:
              type: com.shop.paid
          - with:
              type: com.shop.packed
    do:
      - work:
          set:
            done: true
    """
    And given the event is published after 'PT1M':
    """yaml
    id: '1'
    source: https://shop.example
    type: com.shop.paid
    data:
      n: 1
    """
    And given the event is published after 'PT2M':
    """yaml
    id: '2'
    source: https://shop.example
    type: com.shop.paid
    data:
      n: 1
    """
    And given the event is published after 'PT3M':
    """yaml
    id: '3'
    source: https://shop.example
    type: com.shop.packed
    data:
      n: 1
    """
    And given the event is published after 'PT4M':
    """yaml
    id: '4'
    source: https://shop.example
    type: com.shop.packed
    data:
      n: 1
    """
    When the workflow is deployed for 'PT1H'
    Then the workflow should have started, in this order, with the inputs:
    """yaml
    - - id: '1'
      - id: '3'
    - - id: '2'
      - id: '4'
    """

  # Tests that events are gathered until one comes that says so, which does not count
  Scenario: On Events Until One
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: on-events-until-one
      version: '1.0.0'
    schedule:
      on:
        any:
          - with:
              type: com.shop.paid
        until:
          one:
            with:
              type: com.shop.closed
    do:
      - work:
          set:
            done: true
    """
    And given the event is published after 'PT1M':
    """yaml
    id: '1'
    source: https://shop.example
    type: com.shop.paid
    data:
      n: 1
    """
    And given the event is published after 'PT2M':
    """yaml
    id: '2'
    source: https://shop.example
    type: com.shop.paid
    data:
      n: 1
    """
    And given the event is published after 'PT3M':
    """yaml
    id: '3'
    source: https://shop.example
    type: com.shop.closed
    data:
      n: 1
    """
    And given the event is published after 'PT4M':
    """yaml
    id: '4'
    source: https://shop.example
    type: com.shop.paid
    data:
      n: 1
    """
    When the workflow is deployed for 'PT1H'
    Then the workflow should have started, in this order, with the inputs:
    """yaml
    - - id: '1'
      - id: '2'
    """

  # Tests that an expression in a schedule cannot see what only a run has
  Scenario: On An Event Of A Run
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: on-an-event-of-a-run
      version: '1.0.0'
    schedule:
      on:
        one:
          with:
            type: com.shop.paid
            data: ${ .order == $input.order }
    do:
      - work:
          set:
            done: true
    """
    When the definition is read
    Then the definition should be refused
