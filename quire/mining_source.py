"""An index as mining sees it: `IndexSource` proposes, scores and reads passages; `placed_passages` lists them all.

`reranker.data` knows no index, and the engine answers with documents; this adapter stands between, and gives passages
with the very scores that the engine fuses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Protocol

import numpy as np

from engine.errors import translated
from engine.first_stage import Retrieval, retrieve
from engine.fusion import Floats, Pool, document_part, fuse
from engine.meaning import QueryEncoder
from engine.plan import make_plan
from engine.settings import SearchSettings
from indexer.encoding import Encoder, Vectors
from indexer.protocol import IndexReader, LexicalQuery, Numbers
from reranker.data.candidates import Candidate
from reranker.data.structure import PlacedPassage
from reranker.pairs import PassageText

_CHUNK = 200  # documents read at once
_REMEMBERED = 100_000  # titles


class ListingReader(IndexReader, Protocol):
    """A reader that can list its documents."""

    def live_documents(self) -> Numbers:
        """Return the numbers of all documents, in the order they came."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """One query: what each side is asked, and what both found."""

    lexical: LexicalQuery
    vector: Vectors | None
    found: Retrieval


class IndexSource:
    """Candidates for mining from one generation of an index. For one thread.

    Candidates' scores are what the engine gives a document whose best passage this is: passage and whole document
    fused by the settings. Texts are plain words: a query has no operators.

    Args:
        reader: The index.
        encoder: The one that it was made with.
        settings: How the engine fuses; its depth is overruled by what mining asks for.
    """

    def __init__(
        self, reader: ListingReader, encoder: Encoder, settings: SearchSettings | None = None
    ) -> None:
        self._reader = reader
        self._encoder = encoder
        self._meaning = QueryEncoder(lambda: encoder)
        self._settings = replace(settings or SearchSettings(), grouping="max", diversity=0.0, facets=())
        self._titles: dict[int, str] = {}
        self._last: tuple[str, int, _Asked] | None = None
        passages, documents = reader.passages_of_all(reader.live_documents())
        order = np.argsort(passages)
        self._all, self._owners = passages[order], documents[order]

    @property
    def fingerprint(self) -> str:
        """Changes with the documents' ids, the generation, the models and the settings."""
        reader, digest = self._reader, blake2b(digest_size=16)
        for chunk in _chunks(reader.live_documents()):
            digest.update("\n".join(reader.doc_ids(chunk)).encode("utf-8", "replace"))
        for part in (
            reader.generation,
            reader.passage_count,
            reader.encoder_fingerprint,
            reader.analyser.fingerprint,
            replace(self._settings, depth=1).fingerprint,
        ):
            digest.update(f"|{part}".encode())
        return digest.hexdigest()

    def known(self, doc_id: str) -> bool:
        """Return whether the index has a document."""
        return self._reader.find(doc_id) is not None

    def search(self, query: str, depth: int) -> Sequence[Candidate]:
        """Return the passages that words, meaning, or both put among the best `depth`, by fused rank."""
        found = self._asked(query, depth).found
        scores = self._fused(found)
        order = np.lexsort((found.passages, -scores))
        fused_rank = np.zeros(len(order), dtype=np.int64)
        fused_rank[order] = np.arange(1, len(order) + 1)
        lists = (found.pool.lexical_rank, found.pool.dense_rank, fused_rank)
        ranks = [np.where(places <= depth, places, 0) for places in lists]
        kept = order[(ranks[0] + ranks[1] + ranks[2] > 0)[order]]
        return self._candidates(found.passages[kept], scores[kept], *(places[kept] for places in ranks))

    def best(self, query: str, doc_ids: Sequence[str]) -> Sequence[Candidate]:
        """Return the best passage for the query of each document; a document that there is not is left out."""
        known = [stored.number for doc_id in doc_ids if (stored := self._reader.find(doc_id)) is not None]
        passages, documents = self._reader.passages_of_all(np.array(sorted(set(known)), dtype=np.int64))
        if not len(passages):
            return []
        scores = self._scores(query, passages, documents)
        order = np.lexsort((passages, -scores, documents))
        _, first = np.unique(documents[order], return_index=True)
        kept = order[first]
        return self._candidates(passages[kept], scores[kept])

    def exactly(self, query: str, keys: Sequence[tuple[str, int]]) -> Sequence[Candidate]:
        """Return these passages, each named by its document and ordinal; one that there is not is left out."""
        owned: dict[str, Numbers] = {}
        for doc_id in dict.fromkeys(doc_id for doc_id, _ in keys):
            stored = self._reader.find(doc_id)
            if stored is not None:
                owned[doc_id] = self._reader.passages_of(stored.number)
        numbers = [
            int(owned[doc_id][ordinal])
            for doc_id, ordinal in keys
            if doc_id in owned and 0 <= ordinal < len(owned[doc_id])
        ]
        return self._scored(query, np.array(numbers, dtype=np.int64))

    def near(self, query: str, text: str, depth: int) -> Sequence[Candidate]:
        """Return the `depth` passages nearest to a text in meaning, nearest first."""
        with translated():
            (vector,) = self._encoder.encode_passages([text])
            found = self._reader.dense(vector, depth)
        return self._scored(query, found.passages)

    def random(self, query: str, count: int, seed: int) -> Sequence[Candidate]:
        """Return up to `count` different passages drawn by chance, each as probable as any other."""
        chance = np.random.default_rng(seed)
        drawn = chance.choice(len(self._all), size=min(count, len(self._all)), replace=False)
        return self._scored(query, self._all[drawn])

    def _asked(self, query: str, depth: int | None = None) -> _Asked:
        """Return what both sides say to a query; the last one is remembered, as deep as it was asked."""
        last = self._last
        if last is not None and last[0] == query and (depth is None or last[1] == depth):
            return last[2]
        depth = depth or self._settings.depth
        with translated():
            plan = make_plan(query, self._reader, self._settings, operators=False)
            meaning = self._meaning.encode(plan.meaning, self._reader.encoder_fingerprint)
            found = retrieve(
                self._reader,
                plan.lexical,
                meaning.vector,
                self._settings.alpha * meaning.readable,
                replace(self._settings, depth=depth),
                None,
                1,
                lambda stage: None,
            )
        asked = _Asked(plan.lexical, meaning.vector, found)
        self._last = (query, depth, asked)
        return asked

    def _fused(self, found: Retrieval) -> Floats:
        pool = found.pool
        fused = fuse(self._settings.fusion, pool, found.alpha, self._settings.rrf_k).less_words(found.share)
        whole = document_part(found.whole, pool.bounds, found.alpha, found.share)
        scores: Floats = fused.scores + whole[np.searchsorted(np.unique(found.documents), found.documents)]
        return scores

    def _scores(self, query: str, passages: Numbers, documents: Numbers) -> Floats:
        """Return the scores of any passages, by the bounds of the query."""
        asked, reader = self._asked(query), self._reader
        found, none = asked.found, np.zeros(len(passages), dtype=np.int64)
        with translated():
            cosine = np.full(len(passages), np.nan)
            if asked.vector is not None:
                cosine = reader.dense_scores(asked.vector, passages).astype(np.float64)
            bm25 = reader.lexical_scores(asked.lexical, passages).astype(np.float64)
            names = np.unique(documents)
            whole = np.zeros(len(names))
            if found.share > 0:
                whole = reader.whole_scores(asked.lexical, names).astype(np.float64)
        pool = Pool(bm25, cosine, none, none, found.pool.bounds)
        return self._fused(replace(found, passages=passages, documents=documents, pool=pool, whole=whole))

    def _scored(self, query: str, passages: Numbers) -> Sequence[Candidate]:
        if not len(passages):
            return []
        documents = self._owners[np.searchsorted(self._all, passages)]
        return self._candidates(passages, self._scores(query, passages, documents))

    def _candidates(self, passages: Numbers, scores: Floats, *ranks: Numbers) -> list[Candidate]:
        """Return the candidates of some passages; `ranks` are those by words, by meaning, and fused, if known."""
        with translated():
            read = list(_read(self._reader, passages, self._titles))
            vectors = self._reader.vectors(passages)
        there = np.abs(vectors).sum(axis=1) > 0
        nowhere = np.zeros(len(passages), dtype=np.int64)
        lexical, dense, fused = (places.tolist() for places in ranks or (nowhere, nowhere, nowhere))
        return [
            Candidate(
                placed.doc_id,
                placed.ordinal,
                placed.passage,
                float(scores[at]),
                lexical[at],
                dense[at],
                fused[at],
                vectors[at] if there[at] else None,
            )
            for at, placed in enumerate(read)
        ]


def placed_passages(reader: ListingReader) -> Iterator[PlacedPassage]:
    """Yield all passages of an index, document by document, each document's in order: what `from_structure` reads."""
    for chunk in _chunks(reader.live_documents()):
        passages, _ = reader.passages_of_all(chunk)
        yield from _read(reader, passages, {})


def _read(reader: IndexReader, passages: Numbers, titles: dict[int, str]) -> Iterator[PlacedPassage]:
    """Yield some passages with their texts; `titles` remembers those of documents."""
    stored = reader.passages(passages)
    missing = list(dict.fromkeys(row.document for row in stored if row.document not in titles))
    if len(titles) > _REMEMBERED:
        titles.clear()
        missing = list(dict.fromkeys(row.document for row in stored))
    titles.update((document.number, document.title) for document in reader.documents(missing))
    for row in stored:
        passage = row.passage
        text = reader.text(row.document, passage.start, passage.end)
        yield PlacedPassage(
            passage.doc_id, passage.ordinal, PassageText(text, titles[row.document], passage.headings)
        )


def _chunks(documents: Numbers) -> Iterator[Numbers]:
    for at in range(0, len(documents), _CHUNK):
        yield documents[at : at + _CHUNK]
