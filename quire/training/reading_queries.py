"""The texts of a log's queries: from a file of topics, or from the log itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reranker.errors import TrainingDataError

if TYPE_CHECKING:
    from eval.online import Impression


def query_texts(log: str, topics: str, impressions: Iterable[Impression]) -> Mapping[str, str]:
    """Return the text of each query that impressions name.

    Args:
        log: The file that the impressions are from.
        topics: A file of topics; empty where the log has the texts: as `query`, beside or instead of `query_id`.
        impressions: Those whose queries are wanted.

    Raises:
        TrainingDataError: one has no text.
        EvalError: the topics cannot be read.
    """
    wanted = {seen.query_id for seen in impressions}
    if topics:
        from eval.formats import read_topics

        known = {name: topic.text for name, topic in read_topics(topics).items()}
        place = topics
    else:
        known, place = _of_log(Path(log)), f"{log} (as query)"
    missing = sorted(wanted - {name for name, text in known.items() if text.strip()})
    if missing:
        raise TrainingDataError(
            f"{len(missing):,} of {len(wanted):,} queries of the log have no text in {place}, such as {missing[0]!r}; "
            "give a file with a text for each query_id (--topics)"
        )
    return {name: known[name] for name in wanted}


def _of_log(path: Path) -> dict[str, str]:
    """Return the texts that records give as `query`; lines that `read_log` passes over are passed over here."""
    from eval.formats.lines import numbered_lines

    found: dict[str, str] = {}
    for _, line in numbered_lines(path):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("query"), str | int):
            text = str(record["query"])
            found.setdefault(str(record.get("query_id", text)), text)
    return found
