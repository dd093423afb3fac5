"""Exactly what was run, in printed words: systems, settings, indexes, fingerprints, versions, machine, times."""

from __future__ import annotations

from eval.experiment.result import Cell, ExperimentResult, IndexFacts
from eval.report import numbers
from eval.report.contents import CellRow, IndexRow, Method, PipelineRow, SettingRow

WORDS = {
    "t": "paired t test",
    "wilcoxon": "Wilcoxon's signed-rank test",
    "randomisation": "randomisation test",
    "holm": "Holm's correction",
    "benjamini-hochberg": "Benjamini and Hochberg's correction",
    "none": "none",
}


def in_words(name: str) -> str:
    """Return a test or a correction in words; its name where this file knows none."""
    return WORDS.get(name, name)


def method(result: ExperimentResult) -> Method:
    """Return what was run."""
    cached = sum(cell.cached for cell in result.cells)
    facts = [
        ("started", numbers.moment(result.started)),
        ("took", numbers.duration(result.seconds)),
        ("cells", f"{len(result.cells):,} ({cached:,} taken from an earlier run)"),
        ("asked for", numbers.count(result.k, "document") + " a query"),
        ("baseline", result.baseline or "none"),
        ("test", in_words(result.test)),
        ("correction", in_words(result.correction)),
        ("machine", result.machine or numbers.NONE),
    ]
    for library in ("quire", "quire-search", "Quire"):
        if library in result.versions:
            facts.insert(0, ("Quire", result.versions[library]))
            break
    return Method(
        facts=facts,
        pipelines=[_pipeline(result, name) for name in result.pipelines],
        settings=[
            SettingRow(setting, [_value(result, name, setting) for name in result.pipelines])
            for setting in dict.fromkeys(setting for cell in result.cells for setting in cell.settings)
        ],
        indexes=_indexes(result),
        collections=[
            (facts.name, facts.source, facts.split or numbers.NONE, facts.fingerprint)
            for facts in result.collections
        ],
        cells=[
            CellRow(
                collection=cell.collection,
                pipeline=cell.pipeline,
                fingerprint=cell.fingerprint,
                seconds=numbers.duration(cell.seconds),
                cached="taken from an earlier run" if cell.cached else "run",
                finished=numbers.moment(cell.finished),
                run_file=cell.run_file or numbers.NONE,
            )
            for cell in result.cells
        ],
        versions=dict(sorted(result.versions.items(), key=lambda pair: pair[0].casefold())),
        definition=result.definition,
    )


def _pipeline(result: ExperimentResult, name: str) -> PipelineRow:
    kinds = dict.fromkeys(cell.kind for cell in result.cells if cell.pipeline == name)
    return PipelineRow(name, ", ".join(kinds) or "not run")


def _value(result: ExperimentResult, pipeline: str, setting: str) -> str:
    """Return a pipeline's value of a setting; where collections differ, each value and on which."""
    where: dict[str, list[str]] = {}
    for cell in result.cells:
        if cell.pipeline == pipeline:
            where.setdefault(cell.settings.get(setting, numbers.NONE), []).append(cell.collection)
    if len(where) <= 1:
        return next(iter(where), numbers.NONE)
    return "; ".join(f"{value} on {', '.join(collections)}" for value, collections in where.items())


def _indexes(result: ExperimentResult) -> list[IndexRow]:
    """Return a row for each index; pipelines that searched the same one share it."""
    rows: dict[tuple[object, ...], list[tuple[Cell, IndexFacts]]] = {}
    for cell in result.cells:
        index = cell.index
        if index is not None:
            key = (
                cell.collection,
                index.documents,
                index.passages,
                index.encoder,
                index.analyser,
                index.splitter,
            )
            rows.setdefault(key, []).append((cell, index))
    shown = []
    for cells in rows.values():
        index = cells[0][1]
        made = max(searched.seconds for _, searched in cells)
        shown.append(
            IndexRow(
                collection=cells[0][0].collection,
                pipelines=", ".join(cell.pipeline for cell, _ in cells),
                documents=f"{index.documents:,}",
                passages=f"{index.passages:,}",
                megabytes=f"{index.megabytes:,.0f}",
                seconds=numbers.duration(made) if made else "made before",
                encoder=index.encoder,
                analyser=index.analyser,
                splitter=index.splitter,
            )
        )
    return shown
