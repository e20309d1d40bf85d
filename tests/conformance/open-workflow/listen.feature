Feature: Listen Task
  As an implementer of the workflow DSL
  I want to ensure that workflows can wait for events
  So that my implementation conforms to the expected behavior

  # Tests that a workflow waits for an event of a type, and is given its data
  Scenario: Listen To One
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-to-one
      version: '1.0.0'
    do:
      - wait:
          listen:
            to:
              one:
                with:
                  type: com.shop.paid
    """
    And given the event is published after 'PT10S':
    """yaml
    id: com.shop.opened-PT10S
    source: https://shop.example
    type: com.shop.opened
    data:
      amount: 1
    """
    And given the event is published after 'PT20S':
    """yaml
    id: com.shop.paid-PT20S
    source: https://shop.example
    type: com.shop.paid
    data:
      amount: 42
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - amount: 42
    """
    And the workflow should take 'PT20S'

  # Tests that all events must come, in any order
  Scenario: Listen To All
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-to-all
      version: '1.0.0'
    do:
      - wait:
          listen:
            to:
              all:
                - with:
                    type: com.shop.paid
                - with:
                    type: com.shop.packed
    """
    And given the event is published after 'PT10S':
    """yaml
    id: com.shop.packed-PT10S
    source: https://shop.example
    type: com.shop.packed
    data:
      box: 7
    """
    And given the event is published after 'PT20S':
    """yaml
    id: com.shop.paid-PT20S
    source: https://shop.example
    type: com.shop.paid
    data:
      amount: 42
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should take 'PT20S'

  # Tests that one of several events is enough
  Scenario: Listen To Any
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-to-any
      version: '1.0.0'
    do:
      - wait:
          listen:
            to:
              any:
                - with:
                    type: com.shop.paid
                - with:
                    type: com.shop.refused
    """
    And given the event is published after 'PT10S':
    """yaml
    id: com.shop.refused-PT10S
    source: https://shop.example
    type: com.shop.refused
    data:
      reason: funds
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - reason: funds
    """
    And the workflow should take 'PT10S'

  # Tests that a listener may be given whole events
  Scenario: Listen Reads Envelopes
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-reads-envelopes
      version: '1.0.0'
    do:
      - wait:
          listen:
            to:
              one:
                with:
                  type: com.shop.paid
            read: envelope
          output:
            as:
              type: ${ .[0].type }
              source: ${ .[0].source }
    """
    And given the event is published after 'PT10S':
    """yaml
    id: com.shop.paid-PT10S
    source: https://shop.example
    type: com.shop.paid
    data:
      amount: 42
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    type: com.shop.paid
    source: https://shop.example
    """

  # Tests that an event which came before the task began, but after the workflow did, is not lost
  Scenario: Event Before Listen
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: event-before-listen
      version: '1.0.0'
    do:
      - pause:
          wait: PT1M
      - wait:
          listen:
            to:
              one:
                with:
                  type: com.shop.paid
    """
    And given the event is published after 'PT10S':
    """yaml
    id: com.shop.paid-PT10S
    source: https://shop.example
    type: com.shop.paid
    data:
      amount: 42
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    - amount: 42
    """
    And the workflow should take 'PT1M'

  # Tests that a workflow which no event reaches goes on waiting
  Scenario: Listen Never Hears
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-never-hears
      version: '1.0.0'
    do:
      - wait:
          listen:
            to:
              one:
                with:
                  type: com.shop.paid
    """
    And given the event is published after 'PT10S':
    """yaml
    id: com.shop.opened-PT10S
    source: https://shop.example
    type: com.shop.opened
    data:
      amount: 1
    """
    When the workflow is executed
    Then the workflow should still be waiting

  # Tests that a timeout ends a listener
  Scenario: Listen With Timeout
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-with-timeout
      version: '1.0.0'
    do:
      - wait:
          listen:
            to:
              one:
                with:
                  type: com.shop.paid
          timeout:
            after: PT1M
    """
    When the workflow is executed
    Then the workflow should fault
    And the error should have properties:
    """yaml
    status: 408
    instance: /do/0/wait
    """
    And the workflow should take 'PT1M'

  # Tests that a listener still listens, and that an event counts once
  Scenario: Listener Survives A Restart
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listener-survives-a-restart
      version: '1.0.0'
    do:
      - wait:
          listen:
            to:
              one:
                with:
                  type: com.shop.paid
      - again:
          listen:
            to:
              one:
                with:
                  type: com.shop.paid
    """
    And given the event is published after 'PT10S':
    """yaml
    id: com.shop.paid-PT10S
    source: https://shop.example
    type: com.shop.paid
    data:
      amount: 1
    """
    And given the event is published after 'PT20S':
    """yaml
    id: com.shop.paid-PT20S
    source: https://shop.example
    type: com.shop.paid
    data:
      amount: 2
    """
    When the workflow is executed, and the runtime is restarted at every step
    Then the workflow should complete with output:
    """yaml
    - amount: 2
    """
    And the workflow should take 'PT20S'
