"""The report's tables as Markdown, for a page of a project's documentation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from eval.experiment.result import ExperimentResult
from eval.report.contents import Contents, Entry, Method, Section, Summary
from eval.report.gather import gather

_SPECIAL = re.compile(
    r"[\\`*<>\[\]|~&]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # within a word it stands for itself
    r"|(?<!\S)#"
    r"|^(?:[+-](?=\s)|={2,}|-{2,})"
)
_TICKS = re.compile("`+")


def markdown_tables(result: ExperimentResult) -> str:
    """Return the tables of the report as Markdown, with how to run the experiment again.

    Numbers, marks and warnings are those of the HTML page. Differences are given by the first measure alone, and
    without figures and single queries. Equal results give equal text.

    Raises:
        MissingDependency: matplotlib or scipy is not installed.
    """
    contents = gather(result)
    lines = [f"# {plain(contents.title)}", ""]
    if contents.description:
        lines += [plain(line) for line in contents.description.splitlines()] + [""]
    lines += [_facts(contents.method.facts), ""]
    lines += _bullets(contents.warnings)
    lines += _summary(contents.summary, contents)
    for section in contents.sections:
        lines += _section(section, contents)
    lines += _method(contents.method)
    return "\n".join(lines).rstrip() + "\n"


def plain(text: str) -> str:
    """Return text on one line that Markdown shows as it is."""
    return _SPECIAL.sub(lambda found: "&lt;" if found[0] == "<" else "\\" + found[0], " ".join(text.split()))


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    return " · ".join(f"{plain(label)}: {plain(value)}" for label, value in facts)


def _bullets(sentences: Sequence[str]) -> list[str]:
    return [f"- {plain(sentence)}" for sentence in sentences] + ([""] if sentences else [])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> Iterator[str]:
    """Yield a table's lines, and an empty one. Cells are Markdown already; columns after the first few are numbers."""
    yield f"| {' | '.join(head)} |"
    yield "|" + "|".join("---" if at < words else "---:" for at in range(len(head))) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _number(entry: Entry) -> str:
    shown = f"**{entry.text}**" if entry.best else entry.text
    mark = f" {entry.mark}" if entry.mark else ""
    return shown + mark + (f" ({entry.interval})" if entry.interval else "")


def _summary(summary: Summary, contents: Contents) -> list[str]:
    if not summary.rows:
        return ["Nothing was measured.", ""]
    rows = [
        [f"[{plain(row.collection)}](#{row.anchor})", row.queries, *map(_number, row.entries)]
        for row in summary.rows
    ]
    if summary.mean:
        rows.append(["mean of the collections", "", *map(_number, summary.mean)])
    head = ["collection", "queries", *map(plain, summary.systems)]
    return [
        "## Summary",
        "",
        f"Mean {plain(summary.measure)} of every system on every collection.",
        "",
        *_table(head, rows),
        *_bullets(contents.legend),
    ]


def _section(section: Section, contents: Contents) -> list[str]:
    lines = [
        f'<a id="{section.anchor}"></a>',
        "",
        f"## {plain(section.name)}",
        "",
        _facts(section.facts),
        "",
        *_bullets(section.warnings),
    ]
    if section.rows:
        head = ["system", *map(plain, section.measures), "p50, ms", "p95, ms"]
        lines += _table(
            head,
            [
                [
                    plain(row.name) + (" (baseline)" if row.baseline else ""),
                    *map(_number, row.entries),
                    row.p50.text,
                    row.p95.text,
                ]
                for row in section.rows
            ],
        )
    lines += _bullets(
        [f"{system} has no {measure}: {reason}" for system, measure, reason in section.unmeasured]
    )
    for table in section.comparisons[:1]:
        tests = f", p corrected for {section.family} tests" if section.family > 1 else ""
        lines += [f"{plain(table.measure)}, difference from {plain(contents.baseline)}{tests}:", ""]
        head = ["system", "difference", "p", "corrected p", "effect", "wins", "ties", "losses", "detectable"]
        lines += _table(
            head,
            [
                [
                    plain(row.system),
                    _number(row.difference),
                    plain(row.p_value),
                    plain(row.corrected),
                    row.effect,
                    str(row.wins),
                    str(row.ties),
                    str(row.losses),
                    row.detectable,
                ]
                for row in table.rows
            ],
        )
    return lines


def _method(method: Method) -> list[str]:
    lines = ["## What was run", ""]
    if method.pipelines:
        rows = [["kind", *(plain(pipeline.kind) for pipeline in method.pipelines)]]
        rows += [[plain(setting.name), *map(plain, setting.values)] for setting in method.settings]
        head = ["setting", *(plain(pipeline.name) for pipeline in method.pipelines)]
        lines += _table(head, rows, words=len(head))
    if method.collections:
        rows = [[plain(field) for field in collection] for collection in method.collections]
        lines += _table(["collection", "read from", "split", "fingerprint"], rows, words=4)
    if method.indexes:
        head = ["collection", "searched by", "encoder", "analyser", "splitter", "documents", "passages", "MB"]
        rows = [
            [
                *map(plain, (row.collection, row.pipelines, row.encoder, row.analyser, row.splitter)),
                row.documents,
                row.passages,
                row.megabytes,
            ]
            for row in method.indexes
        ]
        lines += _table(head, rows, words=5)
    if method.versions:
        lines += [_facts(list(method.versions.items())), ""]
    if method.definition.strip():
        fence = "`" * max(3, *(len(ticks) + 1 for ticks in _TICKS.findall(method.definition)), 3)
        lines += [
            "## How to run it again",
            "",
            "Save this as `experiment.toml`, and run `quire eval run experiment.toml`:",
            "",
            f"{fence}toml",
            method.definition.rstrip("\n"),
            fence,
        ]
    return lines
