"""Directories that were made on the way to files: known before they are made, and after a crash."""

from dirigent.providers.files.site import Site


def test_a_claim_is_known_to_the_next_engine(tmp_path):
    record = str(tmp_path / "state" / "made.json")
    Site("/stack", record).claim(["/stack/a", "/stack/a/b"])
    later = Site("/stack", record)
    assert later.above("/stack/a/b/file.txt") == ["/stack/a", "/stack/a/b"]
    assert later.above("/stack/a/other.txt") == ["/stack/a"]
    assert later.above("/stack/ab.txt") == []


def test_what_is_gone_is_forgotten(tmp_path):
    record = str(tmp_path / "made.json")
    site = Site("/stack", record)
    site.claim(["/stack/a"])
    site.release("/stack/a")
    site.release("/stack/never")
    assert Site("/stack", record).above("/stack/a/file.txt") == []


def test_nothing_is_written_as_long_as_nothing_is_made(tmp_path):
    site = Site("/stack", str(tmp_path / "state" / "made.json"))
    site.claim([])
    assert site.above("/stack/file.txt") == []
    assert not (tmp_path / "state").exists()


def test_without_a_record_claims_live_as_long_as_the_site():
    site = Site("/stack")
    site.claim(["/stack/a"])
    assert site.above("/stack/a/file.txt") == ["/stack/a"]
    assert Site("/stack").above("/stack/a/file.txt") == []


def test_a_record_that_was_spoilt_is_an_empty_one(tmp_path):
    (tmp_path / "made.json").write_text('{"made": "all"}')
    assert Site("/stack", str(tmp_path / "made.json")).above("/stack/a/file.txt") == []
