"""Everything that the codec must carry, as hypothesis makes it. `EVERY` names each class of the model."""

from hypothesis import strategies as st

from dirigent.model import plan, program, resource
from dirigent.model.events import listening
from dirigent.model.fault import Fault
from dirigent.model.run import journal
from dirigent.model.source import Span
from dirigent.model.values import Expression, SecretRef, SecretText, Unknown, UriTemplate

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.integers() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False)
at = st.floats(0, 4e9)
counts = st.integers(0, 10**6)
names = st.lists(texts, max_size=3).map(tuple)
spans = st.builds(Span, texts, counts, counts, counts, counts)
maybe_span = st.none() | spans
secret_texts = st.builds(SecretText, st.lists(texts | st.builds(SecretRef, texts), max_size=3).map(tuple))
expressions = st.builds(Expression, texts, maybe_span)

# Data that imitates the encoding of what it is not.
lookalikes = st.sampled_from(
    [
        {"parts": ["a", {"name": "key"}]},
        {"needs": []},
        {"text": ".a", "span": None},
        ["Task", {"name": "x"}],
        [8, "Task", {}],
        {"__type__": "SecretText", "parts": []},
        [[], {}],
        {"": {"Task": [{}]}},
    ]
)
scalars = st.none() | st.booleans() | numbers | texts
specials = secret_texts | st.builds(Unknown, names)


def nested(leaves):
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=8,
    )


values = nested(scalars | lookalikes | specials)
templates = nested(scalars | lookalikes | specials | expressions | st.builds(UriTemplate, texts, maybe_span))
objects = st.dictionaries(texts, values, max_size=3)
configs = st.dictionaries(texts, templates, max_size=3)
sources = st.dictionaries(texts, texts, max_size=2)
keys = st.none() | counts | texts

faults = st.builds(Fault, texts, counts, texts, texts, texts, maybe_span, st.booleans())
rows = st.builds(
    resource.ResourceRow,
    texts, texts, texts, objects, objects, keys, names, values, st.booleans(), st.booleans(),
)  # fmt: skip
differences = st.builds(plan.Difference, texts, values, values, st.booleans(), maybe_span)
changes = st.builds(
    plan.Change,
    texts, texts, texts, st.sampled_from(plan.Action), keys, configs, st.none() | rows, names,
    st.lists(differences, max_size=2).map(tuple), texts, st.booleans(), st.booleans(), st.booleans(), names,
    maybe_span,
)  # fmt: skip
plans = st.builds(
    plan.Plan,
    texts, texts, at, st.lists(changes, max_size=2).map(tuple), texts, objects, configs, st.booleans(), at,
    sources,
)  # fmt: skip

maybe_expression = st.none() | expressions
filters = st.builds(program.Filter, templates, values, st.booleans())
retries = st.builds(
    program.Retry,
    maybe_expression, maybe_expression, templates, st.sampled_from(program.Backoff), templates, templates,
    st.none() | counts, templates, templates,
)  # fmt: skip
cases = st.builds(program.Case, texts, texts, maybe_expression)
plain_nodes = (
    st.builds(program.Set, templates)
    | st.builds(program.Wait, templates)
    | st.builds(program.Raise, templates)
    | st.builds(program.Call, texts, templates, st.sampled_from(program.OnDoubt), st.booleans())
    | st.builds(program.Code, texts, texts, texts, st.none() | at)
    | st.builds(program.Switch, st.lists(cases, max_size=2).map(tuple))
)


def tasks_of(nodes):
    return st.builds(
        program.Task,
        texts, texts, nodes, maybe_expression, filters, filters, filters, templates, texts, values,
        maybe_span,
    )  # fmt: skip


def composed(nodes):
    some = st.lists(tasks_of(nodes), max_size=2).map(tuple)
    bodies = st.builds(program.Sequence, some)
    catches = st.builds(
        program.Catch,
        objects, texts, maybe_expression, maybe_expression, st.none() | retries, st.none() | bodies, texts,
    )  # fmt: skip
    needs = st.dictionaries(texts, names, max_size=2)
    return (
        bodies
        | st.builds(program.Graph, some, needs, texts, objects, counts)
        | st.builds(program.Loop, texts, texts, templates, bodies, maybe_expression)
        | st.builds(program.Fork, some, st.booleans())
        | st.builds(program.Try, bodies, catches)
    )


programs = st.builds(
    program.Program,
    texts, texts, texts, tasks_of(st.recursive(plain_nodes, composed, max_leaves=4)), texts, values,
    names, names,
    sources,
)  # fmt: skip

tests_of_events = st.builds(listening.Test, texts, templates, st.booleans(), objects)
links = st.builds(listening.Link, texts, expressions, objects)
sought = st.builds(
    listening.Sought,
    st.lists(tests_of_events, max_size=2).map(tuple), st.lists(links, max_size=2).map(tuple),
)  # fmt: skip
numbers_of_filters = st.lists(counts, max_size=2).map(tuple)
quorums = st.sampled_from(listening.Quorum)
wants = st.builds(
    listening.Want,
    quorums, st.lists(sought, max_size=2).map(tuple), numbers_of_filters, st.none() | quorums,
    numbers_of_filters, objects, st.booleans(),
)  # fmt: skip

_effect = (at, texts, counts)
FACTS = {
    journal.Created: st.builds(journal.Created, at, texts, values, objects, st.none() | texts, counts),
    journal.Intended: st.builds(journal.Intended, *_effect, values),
    journal.Succeeded: st.builds(journal.Succeeded, *_effect, values),
    journal.Failed: st.builds(journal.Failed, *_effect, faults),
    journal.Held: st.builds(journal.Held, *_effect, texts, objects),
    journal.Vouched: st.builds(journal.Vouched, *_effect, values),
    journal.Repeated: st.builds(journal.Repeated, *_effect, texts),
    journal.Skipped: st.builds(journal.Skipped, *_effect),
    journal.Abandoned: st.builds(journal.Abandoned, *_effect),
    journal.TimerSet: st.builds(journal.TimerSet, *_effect, texts, at),
    journal.TimerFired: st.builds(journal.TimerFired, *_effect, texts),
    journal.Computed: st.builds(
        journal.Computed, *_effect, texts, st.lists(values | faults, max_size=3).map(tuple)
    ),
    journal.Awaited: st.builds(journal.Awaited, *_effect, texts),
    journal.Patched: st.builds(journal.Patched, *_effect, texts),
    journal.Signalled: st.builds(journal.Signalled, at, texts, texts, values),
    journal.Listening: st.builds(journal.Listening, *_effect, wants, at),
    journal.Heard: st.builds(journal.Heard, *_effect, objects, at, counts, objects),
    journal.Unheard: st.builds(journal.Unheard, *_effect),
    journal.Emitted: st.builds(journal.Emitted, *_effect, objects),
    journal.CancelRequested: st.builds(journal.CancelRequested, at, texts),
    journal.Suspended: st.builds(journal.Suspended, at, texts, texts, st.integers(0, 9)),
    journal.Resumed: st.builds(journal.Resumed, at, texts, texts, st.integers(0, 9), texts),
    journal.Retried: st.builds(journal.Retried, *_effect, texts, values, texts, texts),
    journal.Overruled: st.builds(journal.Overruled, *_effect, texts, values, texts, texts),
    journal.ResourceChanged: st.builds(journal.ResourceChanged, at, texts, st.none() | rows),
    journal.Ended: st.builds(journal.Ended, at, texts, values, st.none() | faults),
}
