"""The share that the words of whole documents have: what it leaves alone, and where it has no say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine import SearchEngine
from engine.plan import make_plan

from .conftest import first_stage

EVERYTHING = 10_000


def test_variety_scales_every_term(search_engine: SearchEngine) -> None:
    plain = {hit.doc_id: hit.ledger for hit in search_engine.search("turbine blade", k=EVERYTHING).hits}
    asked = replace(search_engine.settings, diversity=0.3)
    for hit in search_engine.search("turbine blade", k=20, settings=asked).hits:
        before = {term.name: 0.7 * term.value for term in plain[hit.doc_id].terms}
        after = {term.name: term.value for term in hit.ledger.terms}
        assert after.pop("diversity", 0.0) <= 0
        assert after == pytest.approx(before, abs=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_best_passage_by_words_leads_whatever_the_share(
    search_engine: SearchEngine, share: float
) -> None:
    """With a share of 1 no passage has a score of its own; its BM25 decides which is shown first."""
    asked = first_stage(alpha=0, document_share=share)
    for hit in search_engine.search("turbine blade", k=20, settings=asked, explain=True).hits:
        reader = search_engine._current().reader
        passages = reader.passages_of(reader.find(hit.doc_id).number)
        lexical = make_plan("turbine blade", reader, asked).lexical
        assert hit.ledger.bm25 == pytest.approx(
            float(reader.lexical_scores(lexical, passages).max()), rel=1e-4
        )


@pytest.mark.parametrize("fusion", ["rrf", "combsum", "combmnz", "dbsf"])
def test_other_fusions_know_no_share(search_engine: SearchEngine, fusion: str) -> None:
    asked = first_stage(fusion=fusion)  # type: ignore[arg-type]
    with_share = search_engine.search("turbine blade", k=20, settings=replace(asked, document_share=0.9))
    without = search_engine.search("turbine blade", k=20, settings=replace(asked, document_share=0.0))
    assert with_share.hits == without.hits
    assert {term.name for hit in with_share.hits for term in hit.ledger.terms} == {"words", "meaning"}


def test_where_whole_documents_cannot_match_passages_have_all_the_weight(search_engine: SearchEngine) -> None:
    """With no weight on body and title nothing of the whole is looked at, though headings still are."""
    asked = first_stage(alpha=0, title_weight=0.0, body_weight=0.0, headings_weight=1.0)
    assert not search_engine.search("turbine", settings=asked).hits
    hybrid = search_engine.search("turbine", settings=replace(asked, alpha=0.5)).hits
    assert hybrid
    assert all(hit.ledger.document_bm25 is None for hit in hybrid)
