Feature: Wait Task
  As an implementer of the workflow DSL
  I want to ensure that wait tasks suspend a workflow for the time that they say
  So that my implementation conforms to the expected behavior

  # Tests that a wait lasts as long as its duration says, and passes its input on
  Scenario: Wait Duration Object
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: wait-duration-object
      version: '1.0.0'
    do:
      - pause:
          wait:
            seconds: 2
            milliseconds: 500
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
    And the workflow should take 'PT2.5S'

  # Tests durations of days, which no runtime may hold in memory only
  Scenario: Wait ISO 8601 Duration
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: wait-iso-8601-duration
      version: '1.0.0'
    do:
      - pause:
          wait: P1DT2H
      - after:
          set:
            waited: true
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    waited: true
    """
    And the workflow should take 'P1DT2H'

  # Tests that a duration may be a runtime expression
  Scenario: Wait Computed Duration
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: wait-computed-duration
      version: '1.0.0'
    do:
      - pause:
          wait: ${ .pause }
    """
    And given the workflow input is:
    """yaml
    pause: PT1M30S
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should take 'PT90S'

  # Tests that what is no duration is an error of the task
  Scenario: Wait Invalid Computed Duration
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: wait-invalid-computed-duration
      version: '1.0.0'
    do:
      - pause:
          wait: ${ .pause }
    """
    And given the workflow input is:
    """yaml
    pause: soon
    """
    When the workflow is executed
    Then the workflow should fault
    And the error should have properties:
    """yaml
    status: 400
    instance: /do/0/pause
    """

  # Tests that branches wait at the same time, not one after the other
  Scenario: Waits Side By Side
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: waits-side-by-side
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - long:
                  wait: PT10S
              - short:
                  wait: PT4S
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should take 'PT10S'

  # Tests that a cancelled workflow does not go on when its wait would have ended
  Scenario: Cancelled While Waiting
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: cancelled-while-waiting
      version: '1.0.0'
    do:
      - pause:
          wait: PT1H
      - after:
          set:
            waited: true
    """
    And given the workflow is cancelled after 'PT5M'
    When the workflow is executed
    Then the workflow should be cancelled
    And the workflow should take 'PT5M'
    And after should not run
