"""Where a member of a variable stands in an expression: as one pattern for each member would find it."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.lang.stack.mentions import taken

PIECES = st.sampled_from(["$r", ".", " ", "[", "]", '"', '\\"', "a", "ab", "a-b", "_", "0", "é", "\n", "web"])


def by_pattern(raw, member):
    """Return what one pattern for this very member finds."""
    exact = re.escape(member)
    name = rf"""\$r(?![A-Za-z0-9_])\s*(?:\.\s*(?=({exact})(?![A-Za-z0-9_]))|\.?\[?\s*\\?"(?={exact}\\?"))"""
    found = re.search(name, raw)
    return None if found is None else found.end()


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.lists(PIECES, max_size=12).map(lambda pieces: "$r" + "".join(pieces)),
    st.sampled_from(["a", "ab", "a-b", "web"]),
)
def test_members_are_found_where_a_pattern_of_their_own_finds_them(raw, member):
    places = (taken(raw, found.end(), member) for found in re.finditer(r"\$r(?![A-Za-z0-9_])", raw))
    assert next((place for place in places if place is not None), None) == by_pattern(raw, member)
