"""Every code that a store can give is documented, and none is documented that cannot be given."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_of_problems_has_each_code_once_with_something_to_say():
    sources = ROOT.glob("src/dirigent/**/*.py")
    used = {code for source in sources for code in re.findall(r'"(E5\d{3})"', source.read_text())}
    names = ("stores", "databases", "events")
    pages = [(ROOT / "docs" / "problems" / f"{name}.md").read_text() for name in names]
    sections = re.findall(r"^## (E5\d{3}): (.+)\n\n((?:.+\n)+)", "".join(pages), re.MULTILINE)
    assert sorted(code for code, _, _ in sections) == sorted(used)
    assert all(len(text) > 60 for _, _, text in sections)
