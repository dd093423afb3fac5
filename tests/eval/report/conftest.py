"""Results of experiments, made by hand: the numbers are random, the shape is that of real ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from selectolax.lexbor import LexborNode

from eval.experiment.result import Cell, CollectionFacts, ExperimentResult, Failure, IndexFacts, Latency
from eval.measures import Evaluation, parse_measure
from eval.report import html_report

MakeResult = Callable[..., ExperimentResult]

SYSTEMS = ("bm25", "dense", "hybrid")
MEASURES = ("nDCG@10", "R@100", "RR")
LIFTS = {"dense": -0.35, "hybrid": 0.35}
"""Enough for a difference that is significant, downwards and upwards."""


def make_cell(
    facts: CollectionFacts, system: str, measures: Sequence[str] = MEASURES, seed: int = 0, lift: float = 0.0
) -> Cell:
    choose = random.Random(f"{facts.name}/{system}/{seed}")
    values = {
        parse_measure(name): {
            query: min(1.0, max(0.0, choose.choice([0.0, choose.random(), choose.random()]) + lift))
            for query in facts.topics
        }
        for name in measures
    }
    return Cell(
        collection=facts.name,
        pipeline=system,
        kind="quire",
        settings={"alpha": str(SYSTEMS.index(system)) if system in SYSTEMS else "0.5", "depth": "200"},
        fingerprint=f"{choose.getrandbits(128):032x}",
        evaluation=Evaluation(system, values),
        top={query: choose.sample(sorted(facts.titles), 10) for query in facts.topics},
        found=dict.fromkeys(facts.topics, 100),
        latency=Latency(len(facts.topics), 12.0, choose.uniform(5, 20), choose.uniform(20, 60), 90.0),
        index=IndexFacts(1400, 1795, 8.6, "encoder:12ab", "analyser:34cd", "splitter:56ef", 12.5),
        seconds=3.5,
        finished="2026-11-22T18:30:00+00:00",
        cached=system == "bm25",
        run_file=f"runs/{facts.name}/{system}.run",
    )


def make_facts(name: str, queries: int) -> CollectionFacts:
    choose = random.Random(name)
    documents = {f"doc-{at}": f"Title of {at}" for at in range(60)}
    topics = {f"q{at}": f"what is said of {name} number {at}" for at in range(queries)}
    return CollectionFacts(
        name=name,
        source=f"data/{name}",
        split="test",
        fingerprint=f"{choose.getrandbits(128):032x}",
        documents=1400,
        topics=topics,
        topics_in_all=queries + 5,
        qrels={
            query: {doc_id: choose.randint(0, 3) for doc_id in choose.sample(sorted(documents), 45)}
            for query in topics
        },
        titles=documents,
    )


def make(
    collections: Sequence[str] = ("cranfield", "cisi"),
    systems: Sequence[str] = SYSTEMS,
    queries: int = 40,
    baseline: str = "bm25",
    measures: Sequence[str] = MEASURES,
    failures: Sequence[Failure] = (),
    **changes: object,
) -> ExperimentResult:
    facts = [make_facts(name, queries) for name in collections]
    cells = [
        make_cell(one, system, measures, lift=LIFTS.get(system, 0.0)) for one in facts for system in systems
    ]
    result = ExperimentResult(
        name="A trial",
        description="Three systems.\nTwo collections.",
        definition='[experiment]\nname = "A trial"\n',
        measures=[parse_measure(name) for name in measures],
        baseline=baseline,
        test="t",
        correction="holm",
        k=100,
        collections=facts,
        pipelines=list(systems),
        cells=cells,
        failures=failures,
        versions={"quire-search": "0.1.0", "numpy": "2.0"},
        machine="a machine, 2 cores",
        started="2026-11-22T18:00:00+00:00",
        seconds=75.0,
    )
    return replace(result, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def make_result() -> MakeResult:
    return make


@pytest.fixture(scope="session")
def result() -> ExperimentResult:
    """Two collections, three systems, forty queries."""
    return make()


@pytest.fixture(scope="session")
def page_text(result: ExperimentResult) -> str:
    """Its report."""
    return html_report(result)


def _rows(section: LexborNode, caption: str) -> list[list[str]]:
    for table in section.css("table"):
        found = table.css_first("caption")
        if found is not None and caption in found.text():
            for hidden in table.css(".sr"):
                hidden.decompose()
            return [[cell.text().strip() for cell in row.css("th,td")] for row in table.css("tbody tr")]
    raise AssertionError(f"no table {caption!r}")


@pytest.fixture(scope="session")
def rows() -> Callable[[LexborNode, str], list[list[str]]]:
    """Returns the body cells of the table with a caption, the words for screen readers left out."""
    return _rows
