Feature: Secrets
  As an implementer of the workflow DSL
  I want to ensure that secrets reach what needs them and nothing else
  So that my implementation conforms to the expected behavior

  # Tests that a secret can be used in the headers of a request
  Scenario: Secret In Request
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: secret-in-request
      version: '1.0.0'
    use:
      secrets: [apiKey]
    do:
      - ask:
          call: http
          with:
            method: get
            endpoint: https://service.example/private
            headers:
              X-Key: ${ $secrets.apiKey }
    """
    And given the secret 'apiKey' is:
    """yaml
    sesame
    """
    And given 'GET https://service.example/private' answers in turn:
    """yaml
    - status: 200
      body: welcome
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    welcome
    """
    And 'GET https://service.example/private' should be called with:
    """yaml
    headers:
      X-Key: sesame
    """

  # Tests that members of a secret can be used
  Scenario: Structured Secret
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: structured-secret
      version: '1.0.0'
    use:
      secrets: [account]
    do:
      - ask:
          call: http
          with:
            method: get
            endpoint: https://service.example/private
            headers:
              X-User: ${ $secrets.account.user }
    """
    And given the secret 'account' is:
    """yaml
    user: ada
    password: sesame
    """
    And given 'GET https://service.example/private' answers in turn:
    """yaml
    - status: 200
      body: welcome
    """
    When the workflow is executed
    Then the workflow should complete
    And 'GET https://service.example/private' should be called with:
    """yaml
    headers:
      X-User: ada
    """

  # Tests that a secret which comes back from outside does not become visible in the output
  Scenario: Secret Echoed By A Service
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: secret-echoed-by-a-service
      version: '1.0.0'
    use:
      secrets: [apiKey]
    do:
      - ask:
          call: http
          with:
            method: get
            endpoint: https://service.example/echo
            headers:
              X-Key: ${ $secrets.apiKey }
    """
    And given the secret 'apiKey' is:
    """yaml
    sesame-opens
    """
    And given 'GET https://service.example/echo' answers in turn:
    """yaml
    - status: 200
      body:
        key: sesame-opens
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow output should not contain 'sesame-opens'

  # Tests that a document cannot use a secret that it does not declare
  Scenario: Undeclared Secret
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: undeclared-secret
      version: '1.0.0'
    do:
      - ask:
          set:
            key: ${ $secrets.apiKey }
    """
    When the definition is read
    Then the definition should be refused
