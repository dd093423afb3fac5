"""The metadata fields that an index knows: mappings are strict, so each is added before the first document with it."""

from __future__ import annotations

from collections.abc import Set

from indexer.document import FieldKind
from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.shape import metadata
from indexer.elastic.shape.mappings import metadata_body
from indexer.elastic.wire.connection import Cluster


class MappedFields:
    """What one generation's mappings know. For one thread's use.

    Args:
        cluster: Where.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: set[tuple[str, FieldKind]] = set()

    def adopt(self, generation: Generation) -> None:
        """Look what a generation knows, and have it know what the one before did: documents under way need that."""
        told = self._cluster.request("GET", f"/{generation.documents}/_mapping")
        found = metadata.fields_in(told[generation.documents]["mappings"])
        before, self._known = self._known, {(name, kind) for name, kinds in found.items() for kind in kinds}
        self.add(generation, before)

    def add(self, generation: Generation, fields: Set[tuple[str, FieldKind]]) -> None:
        """Have both indexes know these fields.

        Raises:
            ElasticError: 400 where there are too many.
            InvalidDocument: a name is too long.
        """
        new = fields - self._known
        if not new:
            return
        # Documents last: readers look there for the fields that there are.
        for index, as_json in ((generation.passages, False), (generation.documents, True)):
            body = metadata_body(new, as_json=as_json)
            self._cluster.request("PUT", f"/{index}/_mapping", body=body)
        self._known |= new
