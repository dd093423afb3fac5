"""Mining what is known into files of examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from quire.training.checking import checked
from quire.training.events import Doing, Noted, Tell, silent
from quire.training.library import Library
from quire.training.recipe import Recipe
from quire.training.sources import Opened, opened
from reranker.data.candidates import CandidateSource
from reranker.data.example import Example
from reranker.data.example_file import write_examples
from reranker.data.judged import JudgedQuery
from reranker.data.mining import made_from, mine_one
from reranker.data.mining_settings import MiningReport, MiningSettings
from reranker.scorer import PairScorer


def mine(recipe: Recipe, out: str | Path, *, tell: Tell = silent, teacher: PairScorer | None = None) -> int:
    """Check what a recipe's `data` know, and mine all of it into one file of examples.

    Interrupted, it goes on where it was when it is called again. Indexes that have to be made go beside the file, into
    a folder named after it.

    Args:
        recipe: Which data, and how to mine them; finished examples among them are left out.
        out: A `.jsonl` or `.jsonl.gz` file.
        tell: Told how far it is.
        teacher: In the place of the one that the recipe names.

    Returns:
        How many examples the file holds.

    Raises:
        TrainingDataError: the data cannot be used, or the file is of other data.
        RerankerModelError: the teacher cannot be loaded.
    """
    out = Path(out)
    sources = [source for source in recipe.data if source.kind != "examples"]
    with Library(out.with_name(f"{out.name.partition('.')[0]}-indexes"), recipe.indexing, tell) as library:
        ready = [opened(source, recipe, library, tell) for source in sources]
        counts = checked(ready, tell)
        return mined(ready, counts, out, teacher or teacher_of(recipe), tell)


def teacher_of(recipe: Recipe) -> PairScorer | None:
    """Return the reranker that a recipe names to mine with, or None.

    Raises:
        RerankerModelError: it cannot be loaded.
    """
    from reranker.load import load_reranker

    return load_reranker(recipe.teacher) if recipe.teacher else None


def measuring(settings: MiningSettings, candidates: int) -> MiningSettings:
    """Return how queries are mined that are measured on: with what the first stage finds, as it finds it.

    Mining for training turns away what scores like a right answer, for it may be one, and so leaves lists on which the
    first stage is nearly always right: nothing could be measured against it there.
    """
    guard = replace(settings.guard, margin=None, skip=0)
    negatives = candidates if settings.negatives else 0
    return MiningSettings(
        negatives=negatives,
        depth=candidates,
        lexical=0.0,
        dense=0.0,
        fused=1.0,
        near=0.0,
        teacher=0.0,
        random=0.0,
        guard=guard,
        most_positives=settings.most_positives,
        seed=settings.seed,
    )


def mined(
    sources: Sequence[Opened],
    counts: Sequence[int],
    out: Path,
    teacher: PairScorer | None,
    tell: Tell,
) -> int:
    """Mine sources into one file, one after the other; what the file holds already is passed over.

    Args:
        sources: Which.
        counts: How many queries each has.
        out: The file.
        teacher: A reranker to mine with, or None.
        tell: Told how far it is.

    Returns:
        How many examples the file holds.
    """
    what = f"mining {sources[0].name}" if len(sources) == 1 else "mining"
    total, report = sum(counts), MiningReport()
    candidates = [_once(source.candidates) for source in sources]
    names = [
        made_from(source.fingerprint, candidates[at](), source.mining, teacher)
        for at, source in enumerate(sources)
    ]

    def queries() -> Iterator[tuple[int, JudgedQuery]]:
        for at, source in enumerate(sources):
            yield from ((at, query) for query in source.judged())

    def make(item: tuple[int, JudgedQuery]) -> Example | None:
        at, query = item
        report.queries += 1
        return mine_one(query, candidates[at](), sources[at].mining, teacher, report)

    written = write_examples(
        out, queries(), make, " ".join(names), progress=lambda done: tell(Doing(what, done, total))
    )
    if report.queries:
        tell(Noted(f"{what}: {_summary(report)}"))
    return written


def _once(make: Callable[[], CandidateSource]) -> Callable[[], CandidateSource]:
    made: list[CandidateSource] = []

    def get() -> CandidateSource:
        if not made:
            made.append(make())
        return made[0]

    return get


def _summary(report: MiningReport) -> str:
    """Return in a sentence or two what came of mining."""
    skipped = sum(report.skipped.values())
    parts = [f"{report.queries - skipped:,} of {report.queries:,} queries gave an example"]
    if skipped:
        parts[0] += f" ({', '.join(f'{count:,} {why}' for why, count in report.skipped.most_common())})"
    drawn = ", ".join(f"{count:,} {origin}" for origin, count in report.negatives.most_common() if count)
    if drawn:
        parts.append(f"wrong answers: {drawn}")
    refused = ", ".join(f"{count:,} {why}" for why, count in report.refused.most_common(4) if count)
    if refused:
        parts.append(f"turned away: {refused}")
    if report.unknown_documents:
        parts.append(f"{report.unknown_documents:,} judged documents were not in the index")
    return "; ".join(parts)
