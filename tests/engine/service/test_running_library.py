"""Quire's own application as a program: new generations and dying processes, and not a request is lost."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from served import LONGEST, Served

from indexer.document import Document
from indexer.index import Index

Made = Callable[..., Index]
FREE = {"rate_per_minute": 10_000_000, "burst": 1_000_000, "refresh_seconds": 1}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    made: list[Served] = []

    def make(index: Path, **values: object) -> Served:
        folder = tmp_path / f"served-{len(made)}"
        folder.mkdir()
        made.append(Served(folder, index, **{**FREE, **values}))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Asking:
    """Asks for a page again and again until told to stop, on one connection; asks again where it is cut off."""

    def __init__(self, url: str, query: str) -> None:
        self.statuses: list[int] = []
        self.cut_off = 0
        self.found = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(url, query))
        self._thread.start()

    def _run(self, url: str, query: str) -> None:
        with httpx.Client(base_url=url, timeout=LONGEST) as client:
            while not self._stop.is_set():
                try:
                    answer = client.get("/results", params={"q": query})
                except httpx.TransportError:
                    self.cut_off += 1
                    continue
                self.statuses.append(answer.status_code)
                if "brand-new" in answer.text:
                    self.found.set()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(LONGEST)


def generations(url: str) -> int:
    """Return the generation that the process answers from which is furthest behind."""
    text = httpx.get(f"{url}/metrics", timeout=LONGEST).text
    [number] = re.findall(r"^quire_index_generation (\d+)", text, re.MULTILINE)
    return int(number)


def add(index: Index) -> int:
    """Write a new generation; return its number."""
    with index.writer() as writer:
        writer.put(Document("brand-new", "A turbine blade that is brand-new.", "brand-new turbine"))
        writer.commit()
    return index.reader().generation


@pytest.mark.parametrize("workers", [1, 2])
def test_a_new_generation_is_taken_up_without_a_request_that_fails(
    served: Callable[..., Served], make_index: Made, corpus: list[Document], tmp_path: Path, workers: int
) -> None:
    with make_index(*corpus) as index:
        server = served(tmp_path / "index", workers=workers)
        asking = [Asking(server.url, "turbine blade brand-new") for _ in range(3)]
        try:
            new = add(index)
            for one in asking:
                assert one.found.wait(LONGEST)
            while generations(server.url) < new:
                pass
        finally:
            for one in asking:
                one.stop()
        for one in asking:
            assert one.cut_off == 0
            assert set(one.statuses) == {200}
        assert server.stop() == 0
    assert "a newer generation" in server.log()


def test_a_process_that_is_killed_loses_no_more_than_what_it_was_answering(
    served: Callable[..., Served], make_index: Made, corpus: list[Document], tmp_path: Path
) -> None:
    make_index(*corpus).close()
    server = served(tmp_path / "index", workers=2)
    asking = [Asking(server.url, "turbine blade") for _ in range(4)]
    try:
        pid = server.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        victim = next(one for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes())
        os.kill(int(victim), signal.SIGKILL)
        before = [len(one.statuses) for one in asking]
        while "a worker ended and is started again" not in server.log():
            pass
        while any(len(one.statuses) < count + 5 for one, count in zip(asking, before, strict=True)):
            pass
    finally:
        for one in asking:
            one.stop()
    for one in asking:
        assert set(one.statuses) == {200}, "who asks again is answered, by whoever is left"
        assert one.cut_off <= 2, "the connection that it had"
    assert server.stop() == 0


def test_readers_links_and_queries_stay_out_of_the_log_of_a_program_too(
    served: Callable[..., Served], make_index: Made, corpus: list[Document], tmp_path: Path
) -> None:
    make_index(*corpus).close()
    server = served(tmp_path / "index")
    with httpx.Client(base_url=server.url, timeout=LONGEST) as client:
        assert client.get("/", params={"q": "turbine planted"}).status_code == 200
        assert client.get("/enter", params={"token": "planted"}).status_code == 401
        assert client.get("/planted").status_code == 404
    assert server.stop() == 0
    lines = [json.loads(line) for line in server.log().splitlines()]
    assert [line["status"] for line in lines if line["event"] == "request"] == [200, 401, 404]
    assert "planted" not in server.log()
    assert "turbine" not in server.log()
