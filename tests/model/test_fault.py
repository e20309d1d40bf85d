"""One error type has one canonical form, whichever of its published URIs is written."""

import pytest

from dirigent.model import fault
from dirigent.model.fault import canonical

NAMES = [
    "configuration",
    "validation",
    "expression",
    "authentication",
    "authorization",
    "timeout",
    "communication",
    "runtime",
]
FORMS = [
    "https://serverlessworkflow.io/spec/1.0.0/errors/{}",
    "https://serverlessworkflow.io/dsl/errors/types/{}",
    "https://serverlessworkflow.io/errors/{}",
    "https://open-workflow-specification.org/spec/1.0.0/errors/{}",
    "https://open-workflow-specification.org/dsl/errors/types/{}",
    "http://serverlessworkflow.io/spec/1.0.0/errors/{}/",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", FORMS)
def test_every_published_form_of_a_standard_type_is_canonical(form, name):
    assert canonical(form.format(name)) == getattr(fault, name.upper())


@pytest.mark.parametrize(
    "written",
    [
        "https://serverlessworkflow.io/errors/types/compliance",
        "https://serverlessworkflow.io/spec/1.0.0/errors/Timeout",
        "https://example.com/errors/timeout",
        "https://serverlessworkflow.io.example.com/errors/timeout",
        "timeout",
        "",
    ],
)
def test_any_other_type_stays_as_it_is(written):
    assert canonical(written) == written


def test_the_canonical_form_is_its_own():
    assert all(canonical(canonical(form.format("runtime"))) == fault.RUNTIME for form in FORMS)
