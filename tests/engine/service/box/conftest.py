"""The search box over a small index, asked without a browser and without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser

from engine import SearchSettings
from engine.service.access.cookies import COOKIE
from engine.service.app import create_app
from engine.service.engines import Engines
from engine.service.service import Service
from engine.service.settings import ServiceSettings
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index
from indexer.splitter import SplitterSettings
from reranker.overlap import OverlapScorer

ATTACK = '<script>alert("x")</script>'
HOSTILE = f'bad/{ATTACK}?q="&'
"""The id of a document that is markup all through."""


def documents() -> list[Document]:
    """Return what the box is tried on: dates, fields, Chinese, markup, no title, and enough for several pages."""
    kept = [
        Document(
            f"bridges/report {number:02}.md",
            f"The bridge number {number} was inspected. Its arch carries a load of {number} tonnes in the winter. "
            "Masonry and mortar were found sound by the engineer.",
            f"Bridge report {number}",
            {
                "kind": ("stone", "iron", "wood")[number % 3],
                "sound": number % 2 == 0,
                "date": date(2000 + number, 5, 1),
                "author": "Ada Winter",
            },
        )
        for number in range(24)
    ]
    hostile = Document(
        HOSTILE,
        f"# Trap {ATTACK}\n\nA marmalade recipe with {ATTACK} in it, and {{{{ 7 * 7 }}}} besides.",
        f"Marmalade {ATTACK}",
        {"kind": ATTACK, "author": ATTACK, "date": date(2010, 1, 1)},
        source=ATTACK,
    )
    chinese = Document("zh/桥.md", "长江大桥的建造用了两年。桥墩很深。", "长江大桥", {"kind": "stone"})
    unnamed = Document("notes/untitled thing.txt", "A quokka sat in the shade of a eucalyptus.", "", {})
    endless = Document("long.txt", "zyzzyva " + "x" * 10_000, "Zyzzyva " + "y" * 2_000, {"kind": "z" * 600})
    return [*kept, hostile, chinese, unnamed, endless]


@dataclass
class Box:
    """A browser of sorts.

    Args:
        service: What it asks.
    """

    service: Service

    def get(self, path: str, *, reader: str = "", **headers: str) -> httpx.Response:
        """Return the answer to a GET; of a reader who has entered, where one is named."""
        cookies = {}
        if reader:
            cookies[COOKIE] = self.service.tokens.issue(reader, self.service.settings.tenant, hours=1)

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(create_app(self.service))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost", cookies=cookies
            ) as client:
                return await client.get(
                    path, headers={name.replace("_", "-"): value for name, value in headers.items()}
                )

        return asyncio.run(ask())

    def page(self, path: str, *, reader: str = "", **headers: str) -> LexborHTMLParser:
        """Return what is shown at an address, which must be there."""
        answer = self.get(path, reader=reader, **headers)
        assert answer.status_code == 200, answer.text[:2000]
        return LexborHTMLParser(answer.text)


@pytest.fixture(scope="module")
def box_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("box") / "index"
    with Index.create(place, encoder=HashingEncoder(32), passages=SplitterSettings(tokens=64)) as index:
        with index.writer() as writer:
            for document in documents():
                writer.add(document)
    return place


@pytest.fixture(scope="module")
def make_box(box_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Box]]:
    """Make boxes over the index; values are those of `ServiceSettings`."""
    made: list[Service] = []

    def make(search: SearchSettings | None = None, **values: object) -> Box:
        settings = ServiceSettings(rate_per_minute=1_000_000, burst=1_000_000, threads=2)
        engines = Engines.open(box_index, search=search, encoder=HashingEncoder(32), reranker=OverlapScorer())
        service = Service(
            engines,
            replace(settings, **values),  # type: ignore[arg-type]
            tmp_path_factory.mktemp("state"),
        )
        made.append(service)
        return Box(service)

    yield make
    for service in made:
        service.close()


@pytest.fixture(scope="module")
def box(make_box: Callable[..., Box]) -> Box:
    """A box as it comes."""
    return make_box()
