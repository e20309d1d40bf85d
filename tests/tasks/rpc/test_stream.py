"""Server-sent events come out the same however the bytes are cut."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.tasks.rpc.stream import EventStream

PLAIN = st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=8)


def fed(content, cuts):
    stream, found, before = EventStream(), [], 0
    for cut in [*sorted(cuts), len(content)]:
        found += stream.feed(content[before:cut])
        before = max(before, cut)
    return found


@given(
    st.lists(st.lists(PLAIN, min_size=1, max_size=3), max_size=4),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.integers(0, 80), max_size=6),
)
@settings(derandomize=True, deadline=None, max_examples=50)
def test_events_are_the_same_wherever_the_chunks_are_cut(events, ending, cuts):
    text = "".join("".join(f"data: {line}{ending}" for line in lines) + ending for lines in events)
    wanted = ["\n".join(lines).encode() for lines in events]
    assert fed(text.encode(), cuts) == wanted


def test_only_data_counts():
    content = b"\xef\xbb\xbf: hello\nid: 4\nevent: x\ndata:a\ndata\ndata: b\nretry: 10\n\n"
    content += b"event: none\n\ndata: cut off"
    assert EventStream().feed(content) == [b"a\n\nb"]
