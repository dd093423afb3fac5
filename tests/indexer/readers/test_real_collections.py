"""Real collections: read whole, without a failure. Skipped where they are not there (QUIRE_DATASETS)."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from indexer.document import Document
from indexer.readers import read_corpus

DATASETS = Path(os.environ.get("QUIRE_DATASETS", Path(__file__).parents[4] / "shared" / "datasets"))


@pytest.mark.parametrize("name", ["cranfield", "qmsum", "dureader_demo_zh"])
def test_beir_folders_agree_with_a_plain_reading(name: str) -> None:
    folder = DATASETS / name
    if not folder.is_dir():
        pytest.skip(f"no collection at {folder}: set QUIRE_DATASETS to the folder of the collections")
    with gzip.open(folder / "corpus.jsonl.gz", "rt", encoding="utf-8") as file:
        expected = [
            (record["_id"], record.get("title", ""), record["text"]) for record in map(json.loads, file)
        ]
    items = list(read_corpus(folder))
    found = [(item.doc_id, item.title, item.text) for item in items if isinstance(item, Document)]
    assert found == expected
    assert len(items) == len(expected)
    for item in items:
        assert isinstance(item, Document)
        covered = sum(block.end - block.start for block in item.blocks)
        assert covered >= 0.9 * len(item.text.strip())
