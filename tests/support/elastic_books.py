"""An index on a real Elasticsearch, small and the same at every run, with what it should hold at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from indexer.document import Document
from indexer.elastic.index import ElasticIndex
from indexer.elastic.rebuilding.generations import Generations
from indexer.elastic.settings import ElasticSettings
from indexer.elastic.wire.connection import Cluster
from small_corpus import CountingEncoder, make_document

NUMBERED = 40
DOCUMENTS = NUMBERED + 4


@dataclass
class Books:
    """An index, and how to get at it."""

    address: str
    settings: ElasticSettings
    encoder: CountingEncoder
    index: ElasticIndex
    cluster: Cluster
    documents: dict[str, Document] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.cluster.address.name

    @property
    def generations(self) -> Generations:
        return Generations(self.cluster, self.name)

    def put(self, *documents: Document, without: Sequence[str] = ()) -> None:
        """Have these committed, and those of these ids deleted."""
        with self.index.writer() as writer:
            for document in documents:
                writer.put(document)
            assert writer.delete_all(without) == len(without)
        self.documents |= {document.doc_id: document for document in documents}
        for doc_id in without:
            del self.documents[doc_id]

    def opened(self, encoder: CountingEncoder | None = None) -> ElasticIndex:
        """Return the index, opened once more."""
        return ElasticIndex.open(self.address, settings=self.settings, encoder=encoder or self.encoder)

    def held(self, encoder: CountingEncoder | None = None) -> dict[str, str]:
        """Return the hash of every document of the generation that counts, read back and found sound."""
        with self.opened(encoder) as index:
            found = index.verify()
            assert found.sound, found.problems
            return {document.doc_id: document.content_hash() for document in index.documents()}

    @property
    def wanted(self) -> dict[str, str]:
        """What `held` should return."""
        return {doc_id: document.content_hash() for doc_id, document in self.documents.items()}


@contextmanager
def some_books(address: str, numbered: int = NUMBERED) -> Iterator[Books]:
    """Give an index of numbered documents, an empty one, one of no words, one in Chinese, and one of three pieces."""
    encoder = CountingEncoder()
    settings = ElasticSettings(replicas=0, shards=2, timeout_seconds=60.0)
    with (
        ElasticIndex.create(address, settings=settings, encoder=encoder) as index,
        Cluster(address, settings) as cluster,
    ):
        found = Books(address, settings, encoder, index, cluster)
        found.put(
            *(make_document(number, words=20 + 3 * number) for number in range(numbered)),
            Document("empty", ""),
            Document("marks", "… — !!!", title="?!"),
            Document("灯塔", "灯塔的灯每十二秒转一圈。" * 40, title="灯塔", metadata={"a.b*c": ("x", "y")}),
            Document("long", ("The harbour and the lantern." + 970 * " ") * 140, pages=(0, 70_000)),
        )
        yield found
