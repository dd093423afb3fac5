"""A service on the loopback interface, and runs of other systems in files."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from eval.errors import InvalidExperiment
from eval.experiment.pipelines.bm25 import RankBM25
from eval.experiment.pipelines.run_file import RunFile
from eval.experiment.pipelines.service import Service
from eval.experiment.result import ExperimentResult
from eval.formats import read_collection, read_run, write_run
from eval.run import Run, Span

pytest.importorskip("ir_measures", reason="the extra eval is not installed")
pytest.importorskip("rank_bm25", reason="the extra eval is not installed")

Reply = Callable[[dict[str, Any]], Any]


class Loopback:
    """A service whose answers a test makes, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.reply: Reply = lambda asked: {"hits": []}
        self.status = 200
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer({name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()})

            def do_POST(self) -> None:
                self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def answer(self, asked: dict[str, Any]) -> None:
                service.asked.append(asked | {"_headers": dict(self.headers), "_method": self.command})
                said = service.reply(asked)
                body = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(service.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def service() -> Iterator[Loopback]:
    loopback = Loopback()
    yield loopback
    loopback.server.shutdown()
    loopback.server.server_close()


def test_a_service_is_asked_as_its_address_says(
    run, collection: Path, tmp_path: Path, service: Loopback
) -> None:
    texts = {topic.text: query for query, topic in read_collection(collection).topics.items()}
    documents = [f"doc-{number:03}" for number in range(30)]
    service.reply = lambda asked: {
        "hits": [{"doc_id": doc} for doc in documents[len(texts[asked["q"]]) :][: int(asked["n"])]]
    }
    result = run(
        {"live": Service(f"{service.url}/find?q={{query}}&n={{k}}&id={{query_id}}&of={{collection}}")}
    )
    assert not result.failures
    assert {asked["q"] for asked in service.asked} == set(texts)
    assert all(texts[asked["q"]] == asked["id"] and asked["n"] == "20" for asked in service.asked)
    assert {asked["of"] for asked in service.asked} == {"small"}
    stored = read_run(tmp_path / "out" / result.cells[0].run_file)
    assert stored.rankings.keys() == set(texts.values())
    assert all(list(ranking) == documents[len(q) :][:20] for q, ranking in stored.rankings.items())
    assert result.cells[0].latency.queries == len(texts)


def test_a_query_with_signs_arrives_whole(run, collection: Path, service: Loopback) -> None:
    text = 'a&b=c #d "e" {k} ü 灯塔 %20 +f'
    record = json.dumps({"_id": "q0", "text": text})
    rest = (collection / "queries.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    (collection / "queries.jsonl").write_text("\n".join([record, *rest]), encoding="utf-8")
    run({"get": Service(f"{service.url}/?q={{query}}")})
    assert text in {asked["q"] for asked in service.asked}
    service.asked.clear()
    run(
        {
            "post": Service(
                f"{service.url}/", body={"query": {"match": ["{query}"]}, "size": "{k}", "flat": True}
            )
        }
    )
    first = next(asked for asked in service.asked if asked["query"] == {"match": [text]})
    assert (first["size"], first["flat"], first["_method"]) == (20, True, "POST")


def test_ids_and_scores_are_found_where_the_settings_say(run, tmp_path: Path, service: Loopback) -> None:
    service.reply = lambda asked: {
        "hits": {
            "hits": [
                {"_source": {"id": 7}, "_score": 3.5},
                {"_source": {"id": "doc-002"}, "_score": 2.5},
                {"_source": {"id": 7}, "_score": 1.5},
            ]
        }
    }
    result = run({"live": Service(service.url, hits="hits.hits", id="_source.id", score="_score")})
    stored = read_run(tmp_path / "out" / result.cells[0].run_file)
    assert all(ranking == {"7": 3.5, "doc-002": 2.5} for ranking in stored.rankings.values())
    assert any(w.startswith("12 hits repeated a document") for w in result.cells[0].warnings)


def test_a_service_that_changes_is_asked_again_unless_it_has_a_version(run, service: Loopback) -> None:
    for version, asked_again in (("", True), ("2026-11", False)):
        run({"live": Service(service.url, version=version)})
        service.asked.clear()
        result = run({"live": Service(service.url, version=version)})
        assert bool(service.asked) == asked_again
        assert any("live service" in warning for warning in result.cells[0].warnings) == asked_again


def test_secrets_come_from_the_environment_and_go_nowhere_else(
    run, tmp_path: Path, service: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = {"live": Service(service.url, headers={"Authorization": "Bearer ${SEARCH_TOKEN}"})}
    assert "SEARCH_TOKEN" in run(live).failures[0].reason
    monkeypatch.setenv("SEARCH_TOKEN", "open-sesame")
    assert not run(live).failures
    assert service.asked[0]["_headers"]["Authorization"] == "Bearer open-sesame"
    for path in (tmp_path / "out").rglob("*"):
        assert not path.is_file() or b"open-sesame" not in path.read_bytes()


@pytest.mark.parametrize(
    ("reply", "status", "settings", "reason"),
    [
        (b"<html>", 200, {}, "not JSON"),
        ({"hits": []}, 503, {}, "answered 503"),
        ({"results": []}, 200, {}, "no 'hits' on the way 'hits' (found: results)"),
        ({"hits": {"total": 3}}, 200, {}, "hits is a dict; expected the list of hits"),
        ({"hits": [{"id": "doc-001"}]}, 200, {}, "set `id`"),
        ({"hits": ["doc-001"]}, 200, {}, "found: a str"),
        ({"hits": [{"doc_id": "a", "s": "high"}]}, 200, {"score": "s"}, "not a number"),
    ],
    ids=["html", "status", "path", "no-list", "no-id", "no-object", "score"],
)
def test_what_a_service_gets_wrong_is_named(run, service: Loopback, reply, status, settings, reason) -> None:
    service.reply, service.status = (lambda asked: reply), status
    assert reason in run({"live": Service(service.url, **settings)}).failures[0].reason


def test_a_service_that_is_not_there_is_one_failed_cell(run, service: Loopback) -> None:
    service.server.shutdown()
    service.server.server_close()
    result = run({"live": Service(service.url), "words": RankBM25()})
    assert "is the service up?" in result.failures[0].reason
    assert len(result.cells) == 1


@pytest.mark.parametrize("wrong", [{"url": "ftp://x"}, {"url": ""}, {"url": "http://x", "timeout": 0.0}])
def test_a_service_that_cannot_be_is_refused(wrong) -> None:
    with pytest.raises(InvalidExperiment):
        Service(**wrong)


def test_a_run_file_counts_as_it_stands(run, tmp_path: Path) -> None:
    rankings = {f"q{number}": {"doc-001": 2.0, "doc-002": 1.0} for number in range(3)} | {"other": {"x": 1.0}}
    seconds = dict.fromkeys(rankings, 0.25)
    (tmp_path / "runs").mkdir()
    write_run(
        Run("theirs", rankings, seconds, {"q0": [Span("doc-001", 0, 5)]}), tmp_path / "runs" / "small.jsonl"
    )
    result = run({"theirs": RunFile("runs/{collection}.jsonl")})
    (cell,) = result.cells
    assert cell.latency.p50 == 250.0
    assert cell.found == {f"q{number}": 2 if number < 3 else 0 for number in range(12)}
    assert set(cell.evaluation.unanswered) == {f"q{number}" for number in range(3, 12)}
    assert ExperimentResult.load(tmp_path / "out" / "results.json") == result
    said = " ".join(cell.warnings)
    assert "9 of 12 topics are not in the run file" in said
    assert "1 queries of the run file are no topics" in said
    values = cell.evaluation.values[result.measures[0]]
    assert len(values) == 12
    assert all(values[f"q{number}"] == 0.0 for number in range(3, 12))
    stored = read_run(tmp_path / "out" / cell.run_file)
    assert stored.spans == {"q0": [Span("doc-001", 0, 5)]}


def test_another_run_in_the_same_file_is_another_cell(run, tmp_path: Path) -> None:
    path = tmp_path / "their.run"
    path.write_text("q0 Q0 doc-001 1 2.0 them\nq1 Q0 doc-001 1 2.0 them\n")
    first = run({"theirs": RunFile("their.run")})
    assert first.cells[0].latency is None
    assert run({"theirs": RunFile("their.run")}).cells[0].cached
    path.write_text("q0 Q0 doc-003 1 2.0 them\n")
    assert not run({"theirs": RunFile("their.run")}).cells[0].cached


def test_a_run_on_another_collection_is_refused(run, tmp_path: Path) -> None:
    (tmp_path / "their.run").write_text("MED-1 Q0 doc-001 1 2.0 them\n")
    assert "is it a run on another collection?" in run({"theirs": RunFile("their.run")}).failures[0].reason


def test_a_run_file_cut_at_k(run, tmp_path: Path) -> None:
    lines = [f"q{q} Q0 doc-{n:03} {n} {100 - n} them" for q in range(12) for n in range(25)]
    (tmp_path / "their.run").write_text("\n".join(lines) + "\n")
    (cell,) = run({"theirs": RunFile("their.run")}).cells
    assert set(cell.found.values()) == {20}
    assert not [warning for warning in cell.warnings if "longest ranking" in warning]
    (cell,) = run({"theirs": RunFile("their.run")}, k=30).cells
    assert any("its longest ranking has 25 documents" in warning for warning in cell.warnings)
