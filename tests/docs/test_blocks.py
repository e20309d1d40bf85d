"""The reader of documentation blocks reads what it should, and a block that lies is found."""

from __future__ import annotations

import pytest

from docs.blocks import Desk, agrees, blocks_of, commands_of

TEXT = """# Title

```console run in=examples/shop exit=2
$ echo one
one
$ echo two \\
> three
...
```

* in a list

  ```yaml stack
  stack: x
  ```

````text
```sh
not a block
```
````
"""


def test_blocks_are_read_with_their_words_options_and_places():
    console, stack, nested = blocks_of("x.md", TEXT)
    assert (console.language, console.words, console.line) == ("console", ("run",), 4)
    assert console.options == {"in": "examples/shop", "exit": "2"}
    assert (stack.language, stack.words, stack.text, stack.line) == ("yaml", ("stack",), "stack: x\n", 14)
    assert nested.language == "text"


def test_a_console_block_is_commands_with_their_output():
    console = next(blocks_of("x.md", TEXT))
    first, second = commands_of(console)
    assert (first.line, first.text, first.shown) == (4, "echo one", ("one",))
    assert (second.line, second.text, second.shown) == (6, "echo two \\\nthree", ("...",))


@pytest.mark.parametrize(
    ("shown", "output", "right"),
    [
        ((), "", True),
        ((), "x\n", False),
        (("one", "two"), "one\ntwo\n", True),
        (("one",), "one\ntwo\n", False),
        (("...",), "", True),
        (("...", "two"), "one\none\ntwo\n", True),
        (("one", "...", "two"), "one\ntwo\n", True),
        (("one", "...", "two", "..."), "one\nx\ny\n", False),
        (("run … ended",), "run 01J ended\n", True),
        (("web[0] *",), "web[0] *\n", True),
        (("web[0]",), "web0\n", False),
    ],
)
def test_an_output_agrees_with_what_is_shown(shown, output, right):
    assert agrees(shown, output) is right


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "root" / "folder").mkdir(parents=True)
    (tmp_path / "root" / "folder" / "a.txt").write_text("a\n")
    (tmp_path / "scratch").mkdir()
    return Desk(tmp_path / "root", tmp_path / "scratch")


def run(desk, text):
    for block in blocks_of("x.md", text):
        desk.run(block)


def test_blocks_share_a_copy_of_the_folder_they_name(desk):
    run(desk, "```console run in=folder\n$ echo b >> a.txt\n```\n```sh run in=folder\ngrep b a.txt\n```\n")
    assert (desk.root / "folder" / "a.txt").read_text() == "a\n"


def test_a_command_that_fails_is_reported_at_its_line(desk):
    with pytest.raises(AssertionError, match=r"x\.md:3: `false` ended with 1, not 0"):
        run(desk, "```console run\n$ true\n$ false\n```\n")


def test_an_exit_code_that_is_announced_is_right(desk):
    run(desk, "```console run exit=3\n$ exit 3\n```\n")


def test_an_output_that_is_not_so_is_reported(desk):
    with pytest.raises(AssertionError, match="but the document shows"):
        run(desk, "```console run\n$ echo one\ntwo\n```\n")


def test_a_console_block_without_a_prompt_is_a_mistake(desk):
    with pytest.raises(AssertionError, match="begins with"):
        run(desk, "```console run\necho one\n```\n")
