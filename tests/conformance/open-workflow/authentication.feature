Feature: Authentication
  As an implementer of the workflow DSL
  I want to ensure that requests are signed as the document says
  So that my implementation conforms to the expected behavior

  # Tests the basic scheme
  Scenario: Basic Authentication
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: basic-authentication
      version: '1.0.0'
    do:
      - ask:
          call: http
          with:
            method: get
            endpoint:
              uri: https://service.example/private
              authentication:
                basic:
                  username: ada
                  password: sesame
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
      Authorization: Basic YWRhOnNlc2FtZQ==
    """

  # Tests the bearer scheme with a token from the input
  Scenario: Bearer Authentication
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: bearer-authentication
      version: '1.0.0'
    do:
      - ask:
          call: http
          with:
            method: get
            endpoint:
              uri: https://service.example/private
              authentication:
                bearer:
                  token: ${ .token }
    """
    And given 'GET https://service.example/private' answers in turn:
    """yaml
    - status: 200
      body: welcome
    """
    And given the workflow input is:
    """yaml
    token: abc
    """
    When the workflow is executed
    Then the workflow should complete
    And 'GET https://service.example/private' should be called with:
    """yaml
    headers:
      Authorization: Bearer abc
    """

  # Tests that a scheme may take all that it needs from a secret
  Scenario: Basic Authentication From Secret
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: basic-authentication-from-secret
      version: '1.0.0'
    use:
      secrets: [account]
    do:
      - ask:
          call: http
          with:
            method: get
            endpoint:
              uri: https://service.example/private
              authentication:
                basic:
                  use: account
    """
    And given the secret 'account' is:
    """yaml
    username: ada
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
      Authorization: Basic YWRhOnNlc2FtZQ==
    """

  # Tests that a policy may be named
  Scenario: Reusable Authentication
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: reusable-authentication
      version: '1.0.0'
    use:
      authentications:
        service:
          bearer:
            token: abc
    do:
      - ask:
          call: http
          with:
            method: get
            endpoint:
              uri: https://service.example/private
              authentication:
                use: service
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
      Authorization: Bearer abc
    """

  # Tests that a token is fetched with client credentials and sent
  Scenario: OAuth2 Client Credentials
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: oauth2-client-credentials
      version: '1.0.0'
    do:
      - ask:
          call: http
          with:
            method: get
            endpoint:
              uri: https://service.example/private
              authentication:
                oauth2:
                  authority: https://login.example
                  endpoints:
                    token: /token
                  grant: client_credentials
                  client:
                    id: shop
                    secret: sesame
                  scopes: [read]
    """
    And given 'POST https://login.example/token' answers in turn:
    """yaml
    - status: 200
      body:
        access_token: t-1
        token_type: Bearer
        expires_in: 3600
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
      Authorization: Bearer t-1
    """
    And 'POST https://login.example/token' should be called 1 times

  # Tests that a request which is refused raises an error of the task
  Scenario: Refused Credentials
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: refused-credentials
      version: '1.0.0'
    do:
      - ask:
          call: http
          with:
            method: get
            endpoint:
              uri: https://service.example/private
              authentication:
                bearer:
                  token: wrong
    """
    And given 'GET https://service.example/private' answers in turn:
    """yaml
    - status: 401
    """
    When the workflow is executed
    Then the workflow should fault
    And the error should have properties:
    """yaml
    status: 401
    instance: /do/0/ask
    """
