"""A small test collection on disk, of random words, the same at every run."""

from __future__ import annotations

import json
import random
from pathlib import Path

from small_corpus import WORDS, make_document

DOCUMENTS, TOPICS = 30, 12


def write_collection(folder: Path, seed: int = 0, documents: int = DOCUMENTS, topics: int = TOPICS) -> Path:
    """Write a BEIR folder of random words; the same at every call with the same arguments."""
    choose = random.Random(seed)
    folder.mkdir(parents=True)
    ids = []
    with (folder / "corpus.jsonl").open("w", encoding="utf-8") as file:
        for number in range(documents):
            document = make_document(number, words=choose.randint(20, 90), seed=seed)
            ids.append(document.doc_id)
            record = {"_id": document.doc_id, "title": document.title, "text": document.text}
            file.write(json.dumps(record) + "\n")
    with (folder / "queries.jsonl").open("w", encoding="utf-8") as file:
        for number in range(topics):
            record = {"_id": f"q{number}", "text": " ".join(choose.sample(WORDS, choose.randint(1, 4)))}
            file.write(json.dumps(record) + "\n")
    lines = ["query-id\tcorpus-id\tscore"]
    for number in range(topics):
        for doc_id in choose.sample(ids, 5):
            lines.append(f"q{number}\t{doc_id}\t{choose.randint(0, 2)}")
    (folder / "qrels.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
