Feature: Run Task
  As an implementer of the workflow DSL
  I want to ensure that processes can be run, and their results used
  So that my implementation conforms to the expected behavior

  # Tests that a command's standard output is the output of the task
  Scenario: Run Shell
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: run-shell
      version: '1.0.0'
    do:
      - greet:
          run:
            shell:
              command: printf hello
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    hello
    """

  # Tests that arguments are not words of a shell: nothing in them is expanded
  Scenario: Run Shell Arguments
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: run-shell-arguments
      version: '1.0.0'
    do:
      - greet:
          run:
            shell:
              command: printf
              arguments:
                - "%s"
                - "${ .name }"
    """
    And given the workflow input is:
    """yaml
    name: $(touch harm) ; *
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    $(touch harm) ; *
    """

  # Tests that a command sees its environment and its standard input
  Scenario: Run Shell Environment And Input
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: run-shell-environment-and-input
      version: '1.0.0'
    do:
      - greet:
          run:
            shell:
              command: cat; printf ", $NAME"
              stdin: ${ .greeting }
              environment:
                NAME: ${ .name }
    """
    And given the workflow input is:
    """yaml
    greeting: hello
    name: Ada
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    hello, Ada
    """

  # Tests that a command which fails is an error of the task
  Scenario: Run Shell Fails
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: run-shell-fails
      version: '1.0.0'
    do:
      - fail:
          run:
            shell:
              command: exit 3
    """
    When the workflow is executed
    Then the workflow should fault
    And the error should have properties:
    """yaml
    instance: /do/0/fail
    """

  # Tests that a task may return the code and both streams
  Scenario: Run Shell Returns All
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: run-shell-returns-all
      version: '1.0.0'
    do:
      - both:
          run:
            shell:
              command: printf out; printf err >&2; exit 3
            return: all
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    code: 3
    stdout: out
    stderr: err
    """

  # Tests that a task may return the code alone, which then is no error
  Scenario: Run Shell Returns Code
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: run-shell-returns-code
      version: '1.0.0'
    do:
      - code:
          run:
            shell:
              command: exit 3
            return: code
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    3
    """

  # Tests that a script's standard output is the output of the task
  Scenario: Run Script
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: run-script
      version: '1.0.0'
    do:
      - greet:
          run:
            script:
              language: python
              code: |
                print("hello", end="")
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    hello
    """
