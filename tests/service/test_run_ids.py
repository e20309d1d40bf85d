"""What a user may call a run."""

import pytest

from dirigent.model.problem import Refusal
from dirigent.service.runs import Wanted


class Workflow:
    name = "pause"


WANTED = Wanted(Workflow(), {}, {})


@pytest.mark.parametrize("name", ["order-7", "2024/17:a", "a@b.c", "größe", "x" * 128])
def test_an_id_that_can_be_copied_from_a_line_is_taken_as_it_is(name):
    assert WANTED.start(name).id == name


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "\x1b[2J", "x" * 129, "a\0", "a\n"])
def test_an_id_that_no_list_could_show_is_refused(name):
    with pytest.raises(Refusal) as refusal:
        WANTED.start(name)
    assert refusal.value.problems[0].code == "E4018"
    assert "\x1b[2J" not in str(refusal.value.problems[0].help)


def test_a_run_without_an_id_is_called_after_its_workflow():
    assert WANTED.start().id.startswith("pause-")
