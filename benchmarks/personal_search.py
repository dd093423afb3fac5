"""Personal results as the engine gives them, on two real collections, with every control.

    python benchmarks/personal_search.py [citeulike] [se] [--keep FOLDER] [--json FILE] [--first-stage] [--short]

Nothing is computed beside the engine: events go in by `SearchEngine.record`, what readers share by `learn`, and
every list is one of `SearchEngine.search`. The run with somebody else's profile is that of the stand-in, who asks
the same query.

- citeulike: a query is a tag, right are the reader's own held-out articles. What readers had read is hidden from all
  lists.
- se: questions with their time; of whose asker only what is earlier counts. With events that fade, and that do not.

With `learned`, weights come from clicks made of the judgements (the relevant ones among everyone's first fifty), those
of each half of the readers from the other half.

A tenant holds each state of knowledge: `alone` never learns what readers share, `shared` does, and in `shared-1` and
`shared-3` those who ask have so many documents behind them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from beir_collections import datasets_folder
from machine import describe
from personal_study import SETS, table_head

from engine.event import Event
from engine.personal.learning import learn
from engine.personal.settings import PersonalSettings
from engine.query import Query
from engine.search_engine import SearchEngine
from engine.settings import SearchSettings
from eval.collection import Collection
from eval.formats import read_collection
from eval.personal import Histories, PersonalStudy, histories_of, personal_study, read_events
from eval.personal.control import without
from eval.personal.leakage import seen_documents
from eval.run import Run, in_given_order
from indexer.encoder import DEFAULT_ENCODER, load_encoder
from indexer.index import Index
from indexer.pipeline import index_corpus
from quire.click_weights import ClickSource, weights_by_half

CUTOFF = 10
"""So many hits are looked at; besides, as many are asked for as the reader had met documents, which may be hidden."""
SHOWN = 50
KINDS = ("read=1", "wrote_answer=1", "accepted_answer=1")
PLAIN = PersonalSettings(
    interests="mean", weight=3.2, together=0.0, proposals=0, kinds=KINDS, half_life_days=None
)
SEVERAL = PersonalSettings(together=0.0, kinds=KINDS, half_life_days=None)
SHARED = replace(PersonalSettings(), kinds=KINDS, half_life_days=None)
FADING = replace(SEVERAL, half_life_days=PersonalSettings().half_life_days)
READERS = ((0, 0), (1, 2), (3, 9), (10, 1 << 30))


@dataclass(frozen=True)
class System:
    """One way to know readers: its name, whose tenant it is, how the past counts."""

    name: str
    tenant: str
    settings: PersonalSettings


SYSTEMS = {
    "citeulike": (
        System("with co-reading", "shared", SHARED),
        System("interests", "alone", SEVERAL),
        System("mean vector", "alone", PLAIN),
    ),
    "se": (
        System("interests, fading", "alone", FADING),
        System("interests", "alone", SEVERAL),
        System("mean vector", "alone", PLAIN),
    ),
}


class Laboratory:
    """An index, and the readers of one collection."""

    def __init__(self, name: str, index: Index, search: SearchSettings) -> None:
        folder, split, events_file = SETS[name]
        self.name, self.index, self.search = name, index, search
        self.collection: Collection = read_collection(datasets_folder() / folder, split=split)
        self.events: Sequence[Event] = read_events(datasets_folder() / folder / events_file)
        self.histories = histories_of(self.collection.topics.values(), self.events)
        self.anonymous = self.run("anonymous", self.engine(None), None)

    def engine(self, system: System | None) -> SearchEngine:
        """Return an engine that knows the readers of a system."""
        tenant = system.tenant if system else "nobody"
        personal = system.settings if system else None
        return SearchEngine(self.index, self.index.encoder, self.search, tenant=tenant, personal=personal)

    def teach(self, tenant: str, events: Sequence[Event]) -> None:
        """Record events; what is recorded already is passed over."""
        engine = self.engine(System("", tenant, SHARED))
        print(f"{tenant}: {engine.record(events)}")
        if tenant.startswith("shared"):
            print(learn(engine.readers))

    def run(
        self,
        name: str,
        engine: SearchEngine,
        histories: Histories | None,
        engine_of: Callable[[str], SearchEngine] | None = None,
    ) -> Run:
        """Return the list of each query: of the reader whose history is given, or of nobody."""
        found: dict[tuple[object, ...], list[tuple[str, float]]] = {}
        rankings = {}
        for query_id, topic in self.collection.topics.items():
            history = histories.get(query_id, ()) if histories is not None else ()
            user = history[0].user_id if history else None
            k = CUTOFF + len({event.doc_id for event in self.histories.get(query_id, ())})
            key = (topic.text, k, user, topic.at if user else None)
            if key not in found:
                query = Query(topic.text, user_id=user, at=topic.at if user else None, operators=False)
                asked = engine if engine_of is None or user is None else engine_of(user)
                found[key] = [(hit.doc_id, hit.score) for hit in asked.search(query, k=k).hits]
            rankings[query_id] = in_given_order(found[key])
        return Run(name, rankings)

    def learned(self, system: System, folder: Path) -> Callable[[str], SearchEngine]:
        """Return which engine answers a reader: the one with the weights that the other half's clicks speak for."""
        log = folder / "clicks.jsonl"
        with log.open("w", encoding="utf-8") as file:
            for query_id, topic in self.collection.topics.items():
                hits = self.engine(None).search(Query(topic.text, operators=False), k=SHOWN).hits
                grades = self.collection.judgements.qrels.get(query_id, {})
                shown = [hit.doc_id for hit in hits]
                clicks = [doc_id for doc_id in shown if grades.get(doc_id, 0) > 0]
                record = {"query_id": query_id, "query": topic.text, "user_id": topic.user_id}
                file.write(json.dumps(record | {"shown": shown, "clicks": clicks}) + "\n")
        weights, half_of = weights_by_half(
            self.engine(system), ClickSource(str(log), eta=0.0), lambda *_: None
        )
        print(f"learnt: {weights}")
        engines = {
            half: self.engine(replace(system, settings=learnt.applied(system.settings)))
            for half, learnt in weights.items()
        }
        return lambda user_id: engines[half_of(user_id)]

    def study(
        self, system: System, read: str, engine_of: Callable[[str], SearchEngine] | None = None
    ) -> PersonalStudy:
        """Judge a system, its control included."""
        engine = self.engine(system)
        return personal_study(
            self.anonymous,
            lambda histories: self.run(system.name, engine, histories, engine_of),
            self.collection.judgements,
            self.collection.topics,
            self.events,
            measures=("nDCG@10", "R@10"),
            read="hide" if read == "hide" else "keep",
            catalogue=self.index.reader().document_count,
        )


def report(studies: Mapping[str, PersonalStudy]) -> None:
    """Print the figures of some systems, and what is behind them."""
    table_head("", "measure", "anonymous", "with it", "gain", "p", "somebody else's", "harmed", "helped")
    for name, study in studies.items():
        for part in study.measures:
            gain, control = part.gain, part.control
            print(
                f"| {name} | {part.measure} | {gain.base_mean:.4f} | {gain.other_mean:.4f} "
                f"| {gain.difference:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}) | {gain.corrected:.4f} "
                f"| {control.difference if control else float('nan'):+.4f} "
                f"| {part.harm.readers:.0%} | {part.harm.helped_readers:.0%} |",
                flush=True,
            )
    table_head("", "documents met", "readers", "queries", "anonymous", "with it", "somebody else's", "harmed")
    for name, study in studies.items():
        for group in study.measures[0].groups:
            print(
                f"| {name} | {group.name} | {group.readers} | {group.queries} | {group.base:.4f} "
                f"| {group.other:.4f} | {group.shuffled or 0.0:.4f} | {group.harmed:.0%} |"
            )
    table_head("shown", "readers a document", "novelty (bits)", "coverage", "Gini", "kept")
    for name, study in studies.items():
        for shown in study.shown[:2] if name == next(iter(studies)) else study.shown[1:2]:
            print(
                f"| {shown.run} | {shown.popularity:.2f} | {shown.novelty:.2f} | {shown.coverage:.0%} "
                f"| {shown.gini:.2f} | {shown.kept:.0%} |"
            )


def by_other_readers(lab: Laboratory, runs: Sequence[Run]) -> None:
    """Print which share of the relevant documents is in the first ten, by how many readers had met them."""
    met: dict[str, set[str]] = {}
    for event in lab.events:
        met.setdefault(event.doc_id, set()).add(event.user_id)
    seen = seen_documents(lab.histories)
    table_head("readers of the document", "judged", *(run.name for run in runs))
    fresh = [without(run, seen).rankings for run in runs]
    for low, high in READERS:
        wanted = [
            (query_id, doc_id)
            for query_id, grades in lab.collection.judgements.qrels.items()
            for doc_id, grade in grades.items()
            if grade > 0 and query_id in seen and low <= len(met.get(doc_id, ())) <= high
        ]
        shares = [
            sum(doc_id in list(lists.get(query_id, {}))[:10] for query_id, doc_id in wanted)
            for lists in fresh
        ]
        name = f"{low}" if low == high else f"{low} to {high}" if high < 1 << 30 else f"{low} and more"
        print(f"| {name} | {len(wanted)} | {' | '.join(f'{n / max(len(wanted), 1):.3f}' for n in shares)} |")


def short_histories(lab: Laboratory) -> None:
    """Print what is gained when those who ask have few documents behind them."""
    askers = {topic.user_id for topic in lab.collection.topics.values()}
    table_head("documents of those who ask", "anonymous", "with it", "harmed")
    for most in (1, 3):
        count: dict[str, int] = {}
        kept = []
        for event in lab.events:
            count[event.user_id] = count.get(event.user_id, 0) + 1
            if event.user_id not in askers or count[event.user_id] <= most:
                kept.append(event)
        system = System(f"with co-reading, {most}", f"shared-{most}", SHARED)
        lab.teach(system.tenant, kept)
        run = lab.run(system.name, lab.engine(system), lab.histories)
        part = personal_study(
            lab.anonymous, run, lab.collection.judgements, lab.collection.topics, lab.events, read="hide"
        ).measures[0]
        print(
            f"| {most} | {part.gain.base_mean:.4f} | {part.gain.other_mean:.4f} | {part.harm.readers:.0%} |"
        )


def main() -> None:
    """Study the collections named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("collections", nargs="*", default=list(SETS), choices=[[], *SETS])
    parser.add_argument("--keep", type=Path, help="keep the indexes here, and use them again")
    parser.add_argument("--json", type=Path, help="write the studies here")
    parser.add_argument("--first-stage", action="store_true", help="leave out the second stage")
    parser.add_argument(
        "--short", action="store_true", help="also with one and with three documents a reader"
    )
    arguments = parser.parse_args()
    print(describe())
    encoder = load_encoder(DEFAULT_ENCODER)
    search = SearchSettings(passages_per_hit=1)
    search = replace(search, rerank_depth=0) if arguments.first_stage else search
    done: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in arguments.collections or SETS:
            folder = (arguments.keep or Path(scratch)) / f"{SETS[name][0]}-{encoder.name}"
            if not folder.exists():
                Index.create(folder, encoder=encoder)
                with Index.open(folder, encoder=encoder) as index:
                    collection = read_collection(datasets_folder() / SETS[name][0], split=SETS[name][1])
                    index_corpus(index, collection.documents())
            with Index.open(folder, encoder=encoder) as index:
                lab = Laboratory(name, index, search)
                print(f"\n## {SETS[name][0]}, {search}\n")
                for tenant in sorted({system.tenant for system in SYSTEMS[name]}):
                    lab.teach(tenant, lab.events)
                read = "hide" if name == "citeulike" else "keep"
                studies = {}
                for system in SYSTEMS[name]:
                    studies[system.name] = lab.study(system, read)
                    print(f"{system.name}: {studies[system.name].measures[0].verdict}", flush=True)
                if name == "citeulike":
                    system = System("learned", "shared", SHARED)
                    studies["learned"] = lab.study(system, read, lab.learned(system, Path(scratch)))
                    print(f"learned: {studies['learned'].measures[0].verdict}", flush=True)
                report(studies)
                done |= {f"{name}/{label}": study.to_json() for label, study in studies.items()}
                if name == "citeulike":
                    last = SYSTEMS[name][:2]
                    own = [lab.run(system.name, lab.engine(system), lab.histories) for system in last]
                    by_other_readers(lab, [lab.anonymous, *own])
                    if arguments.short:
                        short_histories(lab)
    if arguments.json:
        arguments.json.write_text(json.dumps(done, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
