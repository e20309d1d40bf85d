"""A campaign goes on where it ended, and its record says what was played."""

import json

import pytest

from simulation import campaign


@pytest.fixture
def said(monkeypatch, tmp_path):
    monkeypatch.setattr(campaign, "PART", 3)
    path = tmp_path / "campaigns" / "simulation.json"

    def play(until):
        monkeypatch.setattr("sys.argv", ["campaign", "--until", str(until), "--record", str(path)])
        assert campaign.main() == 0
        return json.loads(path.read_text()), path.with_suffix(".md").read_text()

    return play


def test_a_campaign_goes_on_where_it_ended(said):
    said(4)
    record, page = said(7)
    assert [(each["from"], each["until"]) for each in record["stretches"]] == [(0, 4), (4, 7)]
    assert record["coverage"]["seeds"] == 7
    assert "| 4 to 6 |" in page


def test_a_broken_seed_is_written_down_and_the_campaign_goes_on(said, monkeypatch):
    sound = campaign.chunk

    def broken(first, last):
        coverage, _ = sound(first, last)
        return coverage, [campaign.Failure(first, "a law", "why")]

    monkeypatch.setattr(campaign, "chunk", broken)
    with pytest.raises(AssertionError):
        said(6)
    monkeypatch.setattr(campaign, "chunk", sound)
    with pytest.raises(AssertionError):
        said(7)
