"""What `moved`, `forget` and `import` of a stack may hold."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import AnyValue, ByKind, Field, ListOf, MapOf, Number, Record, Templates, Text

_NAME: Final = "[A-Za-z_][A-Za-z0-9_-]{0,62}"
_KEY: Final = r'\[(?:[0-9]{1,6}|"[^"\[\]]{1,200}")\]'
_ADDRESS: Final = rf"{_NAME}(?:{_KEY})?(?:/{_NAME}(?:{_KEY})?)*"
ADDRESS: Final = Text(_ADDRESS, what='the name of a resource or the address of an instance, as `web["eu"]`')
_LEFTOVER: Final = Text(
    rf"{_ADDRESS}(?:#deposed[0-9]*)?",
    what='the name of a resource or the address of an instance, as `web["eu"]`',
)

MOVED: Final = ListOf(
    Record(
        {
            "from": Field(ADDRESS, required=True, description="the name or the address that it had"),
            "to": Field(ADDRESS, required=True, description="the name or the address that it has"),
        },
        title="an entry of `moved`",
        what="`{from: web, to: site}`",
    )
)

FORGET: Final = ListOf(
    Record(
        {
            "resource": Field(
                _LEFTOVER, required=True, description="what is let go of: it stays, and is no longer managed"
            )
        },
        title="an entry of `forget`",
        what="`{resource: web}`",
    )
)

IMPORT: Final = ListOf(
    Record(
        {
            "to": Field(ADDRESS, required=True, description="as what it is taken over"),
            "id": Field(
                Templates(Text(min_length=1, what="an id")),
                required=True,
                description="the id by which its provider finds it; with `each` it sees `$each`",
            ),
            "each": Field(
                Templates(ByKind(list=ListOf(ByKind(text=Text(), number=Number())), map=MapOf(AnyValue()))),
                description="one instance of the resource for each item",
            ),
        },
        title="an entry of `import`",
        what='`{to: web, id: "..."}`',
    )
)
