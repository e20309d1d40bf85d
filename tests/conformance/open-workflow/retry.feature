Feature: Retry Policies
  As an implementer of the workflow DSL
  I want to ensure that failed tasks are tried again as their policy says
  So that my implementation conforms to the expected behavior

  # Tests that every retry waits for the delay, and that the result of the successful attempt is that of the task
  Scenario: Retry With Constant Delay
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-with-constant-delay
      version: '1.0.0'
    do:
      - attempt:
          try:
            - call:
                call: http
                with:
                  method: get
                  endpoint: https://service.example/work
          catch:
            errors:
              with:
                status: 503
            retry:
              delay: PT3S
              limit:
                attempt:
                  count: 5
    """
    And given 'GET https://service.example/work' answers in turn:
    """yaml
    - status: 503
    - status: 503
    - status: 200
      body: done
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    done
    """
    And the workflow should take 'PT6S'
    And 'GET https://service.example/work' should be called 3 times

  # Tests that the delay grows by itself with every retry
  Scenario: Retry With Linear Backoff
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-with-linear-backoff
      version: '1.0.0'
    do:
      - attempt:
          try:
            - call:
                call: http
                with:
                  method: get
                  endpoint: https://service.example/work
          catch:
            errors:
              with:
                status: 503
            retry:
              delay: PT2S
              backoff:
                linear: {}
              limit:
                attempt:
                  count: 5
    """
    And given 'GET https://service.example/work' answers in turn:
    """yaml
    - status: 503
    - status: 503
    - status: 503
    - status: 200
      body: done
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should take 'PT12S'

  # Tests that the delay doubles with every retry
  Scenario: Retry With Exponential Backoff
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-with-exponential-backoff
      version: '1.0.0'
    do:
      - attempt:
          try:
            - call:
                call: http
                with:
                  method: get
                  endpoint: https://service.example/work
          catch:
            errors:
              with:
                status: 503
            retry:
              delay: PT2S
              backoff:
                exponential: {}
              limit:
                attempt:
                  count: 5
    """
    And given 'GET https://service.example/work' answers in turn:
    """yaml
    - status: 503
    - status: 503
    - status: 503
    - status: 200
      body: done
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should take 'PT14S'

  # Tests that the limit counts retries after the first attempt, and that the last error is raised
  Scenario: Retry Attempts Exhausted
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-attempts-exhausted
      version: '1.0.0'
    do:
      - attempt:
          try:
            - call:
                call: http
                with:
                  method: get
                  endpoint: https://service.example/work
          catch:
            errors:
              with:
                status: 503
            retry:
              delay: PT1S
              limit:
                attempt:
                  count: 2
    """
    And given 'GET https://service.example/work' answers in turn:
    """yaml
    - status: 503
    """
    When the workflow is executed
    Then the workflow should fault
    And the error should have properties:
    """yaml
    status: 503
    instance: /do/0/attempt/try/0/call
    """
    And 'GET https://service.example/work' should be called 3 times

  # Tests that no retry begins after the overall duration
  Scenario: Retry Limited In Time
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-limited-in-time
      version: '1.0.0'
    do:
      - attempt:
          try:
            - call:
                call: http
                with:
                  method: get
                  endpoint: https://service.example/work
          catch:
            errors:
              with:
                status: 503
            retry:
              delay: PT4S
              limit:
                duration: PT10S
    """
    And given 'GET https://service.example/work' answers in turn:
    """yaml
    - status: 503
    """
    When the workflow is executed
    Then the workflow should fault
    And 'GET https://service.example/work' should be called 3 times

  # Tests that an error which the filter does not name is neither caught nor retried
  Scenario: Error Not Retried
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: error-not-retried
      version: '1.0.0'
    do:
      - attempt:
          try:
            - call:
                call: http
                with:
                  method: get
                  endpoint: https://service.example/work
          catch:
            errors:
              with:
                status: 503
            retry:
              delay: PT1S
    """
    And given 'GET https://service.example/work' answers in turn:
    """yaml
    - status: 400
    """
    When the workflow is executed
    Then the workflow should fault
    And 'GET https://service.example/work' should be called 1 times

  # Tests that a retry goes on only as long as its condition holds, and then the handler runs
  Scenario: Retry Condition
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: retry-condition
      version: '1.0.0'
    do:
      - attempt:
          try:
            - call:
                call: http
                with:
                  method: get
                  endpoint: https://service.example/work
          catch:
            as: problem
            retry:
              when: ${ $problem.status == 503 }
              delay: PT1S
            do:
              - handle:
                  set:
                    status: ${ $problem.status }
    """
    And given 'GET https://service.example/work' answers in turn:
    """yaml
    - status: 503
    - status: 503
    - status: 404
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    status: 404
    """
    And 'GET https://service.example/work' should be called 3 times

  # Tests that a policy may be named
  Scenario: Reusable Retry Policy
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: reusable-retry-policy
      version: '1.0.0'
    use:
      retries:
        patient:
          delay: PT30S
          limit:
            attempt:
              count: 1
    do:
      - attempt:
          try:
            - call:
                call: http
                with:
                  method: get
                  endpoint: https://service.example/work
          catch:
            errors:
              with:
                status: 503
            retry: patient
    """
    And given 'GET https://service.example/work' answers in turn:
    """yaml
    - status: 503
    - status: 200
      body: done
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should take 'PT30S'
