"""What `quire index`, `quire import` and the demo share: open or create, run with progress, say what came of it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from types import FrameType
from typing import TYPE_CHECKING

import click

from quire.progress import ProgressLine, duration, plural
from quire.terminal import harmless

if TYPE_CHECKING:
    from engine.configuration import Configuration
    from indexer import Document, IndexingReport, ReadFailure
    from indexer.backend import DocumentIndex
    from indexer.opening import Place
    from indexer.sharding import Shard
    from quire.rebuild_lines import RebuildLine

SHOWN_FAILURES = 20
# What an index keeps of [indexing] for good; to change it is to index anew.
_KEPT = ("encoder", "precision", "tokens", "overlap", "language", "token_vectors")


def open_or_create(place: Place, configuration: Configuration) -> DocumentIndex:
    """Open the index in a folder or at an address, or make one there as [indexing] says.

    Raises:
        IndexExists: there is something else.
        click.UsageError: the index was made with other settings than those given for this run.
    """
    from indexer.elastic.address import is_address
    from indexer.encoder import load_encoder
    from indexer.errors import IndexExists, IndexNotFound
    from indexer.opening import create_index, open_index
    from indexer.splitter import SplitterSettings

    settings, elastic = configuration.indexing, configuration.elasticsearch
    try:
        index = open_index(place, elastic=elastic)
    except IndexNotFound:
        encoder = load_encoder(
            settings.encoder,
            precision=settings.precision,
            device=settings.device,
            offline=settings.offline or None,
        )
        try:
            return create_index(
                place,
                encoder=encoder,
                precision=settings.precision,
                language=settings.language,
                passages=SplitterSettings(settings.tokens, settings.overlap),
                token_vectors=settings.token_vectors,
                elastic=elastic,
            )
        except IndexExists:
            if not is_address(place):
                raise
            # Of several workers that begin together one makes it, and the others find it made.
            index = open_index(place, encoder=encoder, elastic=elastic)
    _check_unchanged(index, place, configuration)
    return index


def _check_unchanged(index: DocumentIndex, place: Place, configuration: Configuration) -> None:
    language = index.analyser.fingerprint.split(":")[1]
    made_with = {
        "encoder": index.encoder_identity.name,
        "precision": index.encoder_identity.precision,
        "tokens": index.passages.tokens,
        "overlap": index.passages.overlap,
        "language": language,
        "token_vectors": index.keeps_token_vectors,
    }
    for value in configuration:
        if value.section != "indexing" or value.key not in _KEPT or value.origin != "option":
            continue
        if value.key == "precision" and "int8" not in (value.value, made_with["precision"]):
            continue  # the others may be mixed
        if value.value != made_with[value.key]:
            before = made_with[value.key]
            if isinstance(before, bool):
                how, asked = f"{'with' if before else 'without'} token vectors", "otherwise"
            else:
                how, asked = f"with {value.key} {before}", str(value.value)
            raise click.UsageError(
                f"{place} was made {how}, and {value.where} says {asked}; "
                f"leave {value.where} out, or make another index"
            )


def run(
    index: DocumentIndex,
    items: Iterable[Document | ReadFailure],
    bytes_in_all: int,
    *,
    shard: Shard | None = None,
    delete_missing: bool = False,
    quiet: bool = False,
) -> IndexingReport:
    """Index the items, showing progress on standard error; Ctrl-C stops after the document under way."""
    from indexer.pipeline import index_corpus
    from indexer.sharding import WHOLE

    progress = ProgressLine(bytes_in_all)
    shown = 0

    def show(report: IndexingReport) -> None:
        nonlocal shown
        while shown < min(len(report.failures), SHOWN_FAILURES):
            progress.clear()
            failure = report.failures[shown]
            click.echo(harmless(f"skipped {failure.source}: {failure.reason}"), err=True)
            shown += 1
        if not quiet:
            progress(report)

    try:
        with stopping_politely(progress) as should_stop:
            return index_corpus(
                index,
                progress.watch(items),
                shard=shard or WHOLE,
                progress=show,
                delete_missing=delete_missing,
                should_stop=should_stop,
            )
    finally:
        progress.clear()


@contextmanager
def stopping_politely(progress: ProgressLine | RebuildLine) -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C or SIGTERM into a request that the function given answers; a second one interrupts."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        progress.clear()
        click.echo("Stopping; what is done is being committed. Once more to stop at once.", err=True)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def summary(report: IndexingReport, documents: int, passages: int) -> str:
    """Return in a few lines what was done and what the index holds now."""
    changes = [
        (report.added, "added"),
        (report.updated, "updated"),
        (report.unchanged, "unchanged"),
        (report.deleted, "deleted"),
    ]
    done = ", ".join(f"{count:,} {what}" for count, what in changes if count) or "nothing to do"
    rate = (
        f", {report.encoded / report.seconds:.0f} a second" if report.encoded and report.seconds >= 1 else ""
    )
    encoded = f"; {plural(report.encoded, 'passage')} encoded{rate}" if report.encoded else ""
    lines = [f"{done} in {duration(report.seconds)}{encoded}."]
    if report.failures:
        more = len(report.failures) - SHOWN_FAILURES
        rest = f" ({more:,} more than shown; --failures FILE writes them all)" if more > 0 else ""
        lines.append(f"{plural(len(report.failures), 'document')} skipped, see above{rest}.")
    lines.append(f"The index holds {plural(documents, 'document')} in {plural(passages, 'passage')}.")
    if report.interrupted:
        lines.append("Interrupted: run the same command again to go on.")
    return "\n".join(lines)


def report_as_json(report: IndexingReport, documents: int, passages: int) -> str:
    """Return the report as one line of JSON."""
    values = asdict(report) | {"documents": documents, "passages": passages}
    return json.dumps(values, ensure_ascii=False)
