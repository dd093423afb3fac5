"""`quire.open(..., reranker=...)`: by name, and as an object."""

from __future__ import annotations

from pathlib import Path

import pytest

import quire
from indexer.encoder.hashing import HashingEncoder
from indexer.index import Index
from reranker import OverlapScorer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "index"
    with Index.create(path, encoder=HashingEncoder(32)) as index, index.writer() as writer:
        for number, text in enumerate(
            ["the bridge swings in the wind", "a bridge of stone", "flour and salt"]
        ):
            writer.add(quire.Document(doc_id=f"d{number}", title="", text=text))
        writer.commit()
    return path


def test_a_cross_encoder_given_to_open_reads_the_documents(folder: Path) -> None:
    with quire.open(folder, encoder=HashingEncoder(32), reranker=OverlapScorer()) as engine:
        ranking = engine.search("bridge wind")
    assert ranking.reranked_depth == ranking.found
    assert "rerank" in [term.name for term in ranking.hits[0].ledger.terms]


def test_a_name_is_the_setting(folder: Path) -> None:
    with quire.open(folder, encoder=HashingEncoder(32), reranker=str(folder / "nothing")) as engine:
        ranking = engine.search("bridge wind")
    assert ranking.hits
    assert any("reranker failed" in notice for notice in ranking.notices)


def test_without_one_no_cross_encoder_is_asked(folder: Path) -> None:
    with quire.open(folder, encoder=HashingEncoder(32)) as engine:
        ranking = engine.search("bridge wind")
    assert ranking.reranked_depth == 0
    assert ranking.notices == ()
