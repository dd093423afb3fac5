"""The service and its search box over an index on Elasticsearch: `quire serve` of another address, no more."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser

from engine.service.client import Client

pytestmark = pytest.mark.elasticsearch
DOCUMENTS = {
    "lighthouse.md": "---\nkind: manual\ndate: 2021-03-04\n---\n# The lighthouse\n\n## Lamp\n\nThe lamp turns every "
    "twelve seconds.\n\n## Keeper\n\nA keeper trims the wick each evening and writes the weather into a book.\n",
    "harbour.md": "---\nkind: story\ndate: 2020-01-02\n---\n# Harbour\n\nShips wait until the tide has risen. The "
    "pilot knows the channel.\n",
    "storm.md": "---\nkind: story\ndate: 2019-05-06\n---\n# A storm\n\nThe keeper saw the waves break over the lamp.\n",
    "zh.md": "---\nkind: manual\ndate: 2022-07-08\n---\n# 灯塔\n\n灯塔的灯每十二秒转一圈。守塔人每天晚上记录天气。\n",
}
QUESTIONS = ("keeper", "when do boats leave", "守塔人 天气")
PAGES = (
    "/?q=keeper",
    "/?q=keeper&f.kind=story&sort=-date",
    "/results?q=keeper&beat=first",
    "/document?id=lighthouse.md&q=keeper",
    "/why?q=keeper&id=lighthouse.md",
    "/why-not?q=keeper&id=harbour.md",
    "/similar?id=lighthouse.md",
    "/summary?id=lighthouse.md&id=storm.md&q=keeper",
    "/you",
    "/",
)


class Served:
    """`quire serve` in a process of its own.

    Args:
        place: A folder, or an address.
        state: For its keys and jobs.
    """

    def __init__(self, place: str, state: Path) -> None:
        command = [sys.executable, "-m", "quire"]
        made = subprocess.run(
            [*command, "keys", "add", place, "--state", str(state)]
            + [word for scope in ("search", "events", "index", "admin") for word in ("--scope", scope)],
            capture_output=True,
            text=True,
            check=True,
        )
        self.key = next(word for word in made.stdout.split() if word.startswith("quire_"))
        with (state / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "serve", place, "--port", "0", "--state", str(state)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert "http://" in said, (state / "log").read_text()
        self.url = next(word for word in said.split() if word.startswith("http://"))

    def stop(self) -> int:
        """End it as an operator does; return its exit status."""
        self._process.terminate()
        _, _ = self._process.communicate(timeout=60)
        return self._process.returncode


@pytest.fixture
def both(
    tmp_path: Path, elasticsearch_address: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Served, Served]]:
    """The same documents, served from a folder and from Elasticsearch."""
    monkeypatch.setenv("QUIRE_ELASTICSEARCH_REPLICAS", "0")  # which would wait for a second node
    monkeypatch.setenv("HOME", str(tmp_path))
    documents = tmp_path / "documents"
    documents.mkdir()
    for name, text in DOCUMENTS.items():
        (documents / name).write_text(text, encoding="utf-8")
    served = []
    for name, place in (("folder", str(tmp_path / "index")), ("cluster", elasticsearch_address())):
        subprocess.run([sys.executable, "-m", "quire", "index", str(documents), place, "-q"], check=True)
        served.append(Served(place, tmp_path / name))
    yield served[0], served[1]
    assert [one.stop() for one in served] == [0, 0]


def content(page: httpx.Response) -> Mapping[str, object]:
    """Return what a page shows: its text, but for the time that it took, and where its links lead."""
    assert page.status_code == 200, page.text
    tree = LexborHTMLParser(page.text)
    for part in tree.css("script, style, [data-seconds], .seconds, time"):
        part.decompose()
    body = tree.body
    assert body is not None
    words = [word for word in body.text(separator=" ").split() if not word.replace(".", "").isdigit()]
    return {"words": words, "links": [link.attributes.get("href") for link in tree.css("a")]}


def test_the_api_and_the_box_are_the_same(both: tuple[Served, Served]) -> None:
    with Client(both[0].url, both[0].key) as here, Client(both[1].url, both[1].key) as there:
        for question in QUESTIONS:
            one, other = here.search(question, facets=["kind"]), there.search(question, facets=["kind"])
            assert [hit.doc_id for hit in one] == [hit.doc_id for hit in other]
            assert [hit.score for hit in one] == pytest.approx([hit.score for hit in other], abs=1e-5)
            assert one.facets == other.facets
    with httpx.Client(base_url=both[0].url) as here_box, httpx.Client(base_url=both[1].url) as there_box:
        for path in PAGES:
            assert content(here_box.get(path)) == content(there_box.get(path)), path


def test_readers_and_jobs_are_kept_on_the_cluster(both: tuple[Served, Served]) -> None:
    url, key = both[1].url, both[1].key
    with Client(url, key) as client:
        fog = {"doc_id": "new", "title": "Fog", "text": "A fog horn sounds when the keeper sees nothing."}
        job = client.wait(client.add_documents([fog]).job_id)
        assert (job.state, job.progress.added) == ("done", 1)
        with httpx.Client(base_url=url, headers={"Sec-Fetch-Site": "same-origin"}) as box:
            liked = box.post("/feedback", data={"doc_id": "storm.md", "kind": "like", "back": "/?q=keeper"})
            assert liked.status_code == 303
            assert liked.headers["location"].startswith("/?q=keeper")
            assert "storm.md" in box.get("/you").text
        ann = client.for_reader(client.reader_token("ann").token)
        assert ann.record([{"doc_id": "harbour.md", "kind": "read"}]).added == 1
        assert [one.name for one in ann.profile().interests] == ["harbour.md"]
        ann.erase_profile()
        assert ann.profile().events == 0
        assert "fog horn" in client.document("new").text
