"""Readers: a folder, a file or a stream of records in; `Document`s out, and a `ReadFailure` for whatever is not one.

Three roles. `corpus` and `walk` decide what is read and by whom, and see to it that one bad file costs only itself.
A module a format (`plain`, `markdown`, `html`, `pdf`, `docx`, `epub`, `rst`, `jsonl`, `table`, `beir`) turns bytes
into text with blocks. `decode`, `archive`, `safe_xml` stand between the two and data that nobody vouches for.

Quick start:

    for item in read_corpus("papers"):
        if isinstance(item, ReadFailure):
            log.warning("%s: %s", item.source, item.reason)
        else:
            index.add(item)
"""

from indexer.readers.corpus import CorpusReader, read_corpus
from indexer.readers.formats import SUPPORTED_SUFFIXES
from indexer.readers.options import ReadOptions

__all__ = ["SUPPORTED_SUFFIXES", "CorpusReader", "ReadOptions", "read_corpus"]
