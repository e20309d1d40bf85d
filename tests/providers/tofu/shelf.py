"""A provider written with the Python framework `tf`: version 6, over TLS that nobody asked for.

Run by an interpreter of its own (`python scripts/builds.py`): it wants another protobuf than we do.
Its notes are files in `SHELF_FOLDER`.
"""

import os
from pathlib import Path

from tf.blocks import SetNestedBlock
from tf.iface import Provider, Resource
from tf.runner import run_provider
from tf.schema import Attribute, Block, Schema
from tf.types import List, Number, String

FOLDER = Path(os.environ.get("SHELF_FOLDER", "."))


class Note(Resource):
    """A file with a title and a text; another title is another file."""

    def __init__(self, provider):
        self.provider = provider

    @classmethod
    def get_name(cls):
        return "note"

    @classmethod
    def get_schema(cls):
        return Schema(
            [
                Attribute("title", String(), required=True, requires_replace=True),
                Attribute("text", String(), optional=True, sensitive=True),
                Attribute("copies", Number(), optional=True, computed=True, default=1),
                Attribute("words", List(String()), optional=True),
                Attribute("id", String(), computed=True),
            ],
            version=1,
            block_types=[SetNestedBlock("label", Block([Attribute("name", String(), required=True)]))],
        )

    def create(self, ctx, planned):
        place = FOLDER / planned["title"]
        if place.exists():
            ctx.diagnostics.add_error(
                "there is such a note", f"{planned['title']} lies there", path=["title"]
            )
            return None
        place.write_text(planned["text"] or "")
        return {**planned, "id": planned["title"]}

    def read(self, ctx, current):
        place = FOLDER / current["id"]
        return {**current, "text": place.read_text() or None} if place.exists() else None

    def update(self, ctx, current, planned):
        (FOLDER / current["id"]).write_text(planned["text"] or "")
        return {**planned, "id": current["id"]}

    def delete(self, ctx, current):
        (FOLDER / current["id"]).unlink(missing_ok=True)

    def import_(self, ctx, title):
        place = FOLDER / title
        if not place.exists():
            return None
        return {
            "id": title,
            "title": title,
            "text": place.read_text() or None,
            "copies": 1,
            "words": None,
            "label": [],
        }


class Shelf(Provider):
    """The provider."""

    def get_model_prefix(self):
        return "shelf_"

    def full_name(self):
        return "example.com/tests/shelf"

    def get_provider_schema(self, diags):
        return Schema([Attribute("owner", String(), optional=True)])

    def validate_config(self, diags, config):
        if config.get("owner") == "nobody":
            diags.add_error("nobody owns nothing", path=["owner"])

    def configure_provider(self, diags, config):
        pass

    def get_resources(self):
        return [Note]


if __name__ == "__main__":
    # What the framework calls data sources: it wants to hear that there is none.
    run_provider(type("Library", (Shelf,), {"get_data_sources": lambda _: []})())
