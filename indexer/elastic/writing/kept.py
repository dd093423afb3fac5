"""What the index has of documents already: their records, and the vectors of passages that need no encoding again."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence

from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.rebuilding.scans import Moment
from indexer.elastic.shape.numbers import record_id, routing
from indexer.elastic.shape.records import Encoding, vectors_of
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing.parcels import Known

_PAGE = 500


def known_documents(cluster: Cluster, generation: Generation, numbers: Sequence[int]) -> dict[int, Known]:
    """Return what the index has of the documents of these numbers, those of this moment too, in one request."""
    wanted = [
        {
            "_id": record_id(number),
            "routing": routing(number),
            "_source": ["doc_id", "content_hash", "passages", "length"],
        }
        for number in numbers
    ]
    if not wanted:
        return {}
    told = cluster.request("POST", f"/{generation.documents}/_mget", body={"docs": wanted})
    found: dict[int, Known] = {}
    for number, each in zip(numbers, told["docs"], strict=True):
        if each.get("found"):
            source = each["_source"]
            found[number] = Known(
                source["doc_id"], source["content_hash"], source["passages"], source["length"]
            )
    return found


def kept_encodings(
    cluster: Cluster, generation: Generation, numbers: Sequence[int], *, codes: bool
) -> Mapping[int, Mapping[str, Encoding]]:
    """Return what was encoded of these documents' passages, by document and by the passage's hash.

    Args:
        cluster: Where.
        generation: Of the index.
        numbers: Of the documents.
        codes: Whether the index keeps tokens' codes.
    """
    found: dict[int, dict[str, Encoding]] = {number: {} for number in numbers}
    if not found:
        return found
    columns: list[object] = ["document", {"field": "vector", "format": "binary"}]
    if codes:
        columns.append("codes")
    with Moment(cluster, generation.passages) as moment:
        hits = moment.scan(
            {"bool": {"filter": [{"terms": {"document": list(numbers)}}, {"exists": {"field": "vector"}}]}},
            ["number"],
            size=_PAGE,
            _source=["hash"],
            docvalue_fields=columns,
        )
        for hit in hits:
            fields = hit["fields"]
            encoding = Encoding(vectors_of(fields["vector"])[0])
            if codes:
                encoding.codes = b64decode(fields["codes"][0])
            found[int(fields["document"][0])][hit["_source"]["hash"]] = encoding
    return found
