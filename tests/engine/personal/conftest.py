"""Where tests keep readers: a test that asks for `places` is run on folders, and on a real Elasticsearch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from reader_places import Folders, Names, Places


@pytest.fixture
def names(elasticsearch_url: str) -> Iterator[Names]:
    """Names on a real server."""
    made = Names(elasticsearch_url)
    yield made
    made.done()
    made.cluster.close()


@pytest.fixture(params=["file", "elastic"])
def places(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Places:
    """Places of either kind. What is erased is not waited for to be off the disk, which takes the server a minute."""
    if request.param == "file":
        return Folders(tmp_path_factory)
    monkeypatch.setattr("engine.personal.elastic.erasing.expunge", lambda index: None)
    made: Names = request.getfixturevalue("names")
    return made
