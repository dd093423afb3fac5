"""A word is as rare as it is among all passages, whether or not they have a title or headings."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from indexer.analyser import Analyser
from indexer.document import Document
from indexer.elastic.index import ElasticIndex
from indexer.pipeline import index_corpus
from indexer.protocol import Clause, LexicalQuery


def test_fields_that_few_have(create: Callable[..., ElasticIndex]) -> None:
    index = create()
    titles = ["turbine", "heron", "", "", "", "", "", ""]
    report = index_corpus(
        index, [Document(f"d{n}", f"Of granite and orchards, {n}.", title) for n, title in enumerate(titles)]
    )
    assert report.added == len(titles)
    reader = index.reader()
    [term] = Analyser().terms("turbine")
    for field in ("title", "any"):
        found = reader.lexical(LexicalQuery((Clause((term,), field),)), 5)
        assert reader.doc_ids(found.documents) == ["d0"]
        # One of eight holds it, once, in a field as long as everybody's.
        assert found.scores[0] == pytest.approx(math.log(1 + 7.5 / 1.5) / (1 + 1.2), rel=1e-5)
    whole = reader.whole_scores(LexicalQuery((Clause((term,)),)), reader.find_all(["d0", "d1"]))
    assert whole[0] > 0
    assert whole[1] == 0
    assert reader.document_frequencies([term, "heron"]) == [1, 1]
    assert "∅" not in Analyser().terms("∅ of nothing ∅")
