"""What a reader may try first: titles and headings of an index that read like something one would ask for."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator

import numpy as np

from engine.errors import SearchError
from engine.search_engine import SearchEngine
from indexer.protocol import IndexReader, Numbers

EXAMPLES = 4
_DOCUMENTS = 48  # that are looked at, from all over the index
_PASSAGES = 12  # of each whose headings are looked at
_PHRASES = 24
_LENGTHS = range(8, 41)
_WORDS = range(2, 6)
_NAMED = re.compile(r"\S{1,40}:\s+(?=\S)")  # "csv: CSV parsing and writing" is asked for by what follows
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_UNSPACED = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff]{4,12}"
)  # scripts without spaces: as much as a few words
_EVERYWHERE = frozenset(
    "related work, future work, further reading, see also, table of contents, error analysis, experimental setup, "
    "results and discussion, discussion and conclusion, conclusion and future work, main results, case study, "
    "training details, implementation details, data set, supplementary material, module contents".split(", ")
)
_log = logging.getLogger(__name__)


def examples(engine: SearchEngine, reader: IndexReader, documents: Numbers) -> tuple[str, ...]:
    """Return what to search for: titles, else headings of one document alone, else phrases; no word in two of them.

    Args:
        engine: It names documents, where titles and headings do not.
        reader: The index.
        documents: Those that may be looked at, ascending.
    """
    if not len(documents):
        return ()
    places = np.linspace(0, len(documents) - 1, min(_DOCUMENTS, len(documents))).astype(np.int64)
    some = documents[np.unique(places)]
    found: list[str] = []
    for candidates in (_titles(reader, some), _headings(reader, some), _phrases(engine, reader, some)):
        _add(found, candidates)
        if len(found) == EXAMPLES:
            break
    return tuple(found)


def asks(text: str) -> str:
    """Return what of a title or heading one would search for; the empty string where it does not read like that."""
    said = " ".join(_NAMED.sub("", text, count=1).split()).strip(" .")
    if _UNSPACED.search(said):
        return said if _UNSPACED.fullmatch(said) else ""
    words = said.split()
    if len(words) not in _WORDS or len(said) not in _LENGTHS or said.casefold() in _EVERYWHERE:
        return ""
    return said if all(_WORD.fullmatch(word.strip(",()")) for word in words) else ""


def _add(found: list[str], candidates: Iterable[str]) -> None:
    """Add candidates that share no word of four letters or more with those there are, spread over all of them."""
    unseen = list(dict.fromkeys(filter(None, candidates)))
    wanted = EXAMPLES - len(found)
    order = (
        [unseen[at] for start in range(wanted) for at in range(start, len(unseen), wanted)] if wanted else []
    )
    steps = (
        [unseen[round(at * (len(unseen) - 1) / max(1, wanted - 1))] for at in range(wanted)] if unseen else []
    )
    for one in dict.fromkeys((*steps, *order)):
        if len(found) == EXAMPLES:
            return
        taken = {word for other in found for word in _long_words(other)}
        if taken.isdisjoint(_long_words(one)):
            found.append(one)


def _long_words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text) if len(word) > 3}


def _titles(reader: IndexReader, documents: Numbers) -> Iterator[str]:
    for stored in reader.documents(documents):
        yield asks(stored.title)


def _headings(reader: IndexReader, documents: Numbers) -> Iterator[str]:
    """Yield headings that stand in one of the documents alone: what stands in several says little of any."""
    numbers, owners = reader.passages_of_all(documents)
    first = np.concatenate([numbers[owners == owner][:_PASSAGES] for owner in np.unique(owners)] or [numbers])
    places: dict[str, set[str]] = {}
    for stored in reader.passages(first):
        for heading in stored.passage.headings:
            places.setdefault(heading, set()).add(stored.passage.doc_id)
    yield from (asks(heading) for heading, doc_ids in places.items() if len(doc_ids) == 1)


def _phrases(engine: SearchEngine, reader: IndexReader, documents: Numbers) -> tuple[str, ...]:
    """Return phrases that name the documents; none where that cannot be found out now."""
    try:
        phrases = engine.keyphrases(reader.doc_ids(documents[::2]), _PHRASES)
    except SearchError as error:
        _log.warning("no examples for the search page: %s", error)
        return ()
    telling = sorted((phrase.text for phrase in phrases), key=lambda text: not asks(text))
    return tuple(text for text in telling if asks(text) or len(text) in _LENGTHS)
