"""The code of docs/python.md is run, block after block as one module; so is the example."""

import asyncio
import importlib.util
import json
import sys
from pathlib import Path

import pytest

import dirigent
from docs.blocks import blocks_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "python.md"


@pytest.fixture
def page(tmp_path, monkeypatch):
    blocks = [
        block.text for block in blocks_of("docs/python.md", PAGE.read_text()) if block.language == "python"
    ]
    file = tmp_path / "page.py"
    file.write_text("\n\n".join(blocks))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    spec = importlib.util.spec_from_file_location("page", file)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "page", module)
    spec.loader.exec_module(module)
    return module


def result(called, folder, *events):
    async def run():
        async with dirigent.open(folder) as engine:
            handle = await engine.start(called)
            for name, data in events:
                await handle.signal(name, data)
            return await asyncio.wait_for(handle.result(), 60)

    return asyncio.run(run())


@pytest.mark.slow
def test_every_workflow_of_the_page_gives_what_it_says(page, tmp_path):
    assert asyncio.run(page.main()) == page.Receipt(7, 10.5)
    assert (tmp_path / "shop" / ".dirigent" / "dirigent.db").exists()
    assert result(page.approved(2), tmp_path, ("approval", "ann")) == "ann approved 3.0"
    assert result(page.careful(1), tmp_path) == "booked 1"
    assert result(page.careful(-1), tmp_path) == "not booked: ValueError"
    assert [result(page.reserving(n), tmp_path) for n in (5, 6)] == [1, 2]
    assert result(page.changed(2), tmp_path) == 3.0


@pytest.mark.slow
def test_the_example_places_an_order_and_undoes_one(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "examples" / "python-orders")
    orders = importlib.import_module("orders")
    receipt = result(orders.place_order(7, 30), tmp_path, ("parcel", {"carrier": "post"}))
    assert (receipt.order, receipt.carrier) == (7, "post")
    with pytest.raises(dirigent.RunFailed, match="the card of order 8 does not cover 5000"):
        result(orders.place_order(8, 5000), tmp_path)
    store = importlib.import_module("sqlite3").connect(tmp_path / "shop.db")
    assert json.dumps(store.execute("select number from reserved").fetchall()) == "[[7]]"
    store.close()
