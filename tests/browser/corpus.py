"""The library that the browser tests read: a folder of Markdown beside this file, and what is better made than written.

Besides handbooks in English and Chinese it has a document that is markup through and through (`HOSTILE`), one longer
than a single answer (`LONG`), a PDF with pages (`PAGED`), and enough short ones for several pages of results.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from indexer.document import Block, Document, MetadataValue, ReadFailure
from indexer.readers import read_corpus

LIGHTHOUSE = "lighthouse.md"
BEES = "bees.md"
ESPRESSO = "espresso.md"
TEA = "zh/tea.md"
PAGED = "survey.pdf"
HOSTILE = 'hostile/"><script>document.title="owned"</script>'
LONG = "almanac.md"
REPORTS = 36
"""Short documents `report-00` to `report-35`, all of which speak of a pump."""

PAYLOADS = (
    "<script>document.title = 'owned'; window.owned = true</script>",
    '<img src="x" onerror="window.owned = true">',
    '"><svg onload="window.owned = true">',
    "</textarea></title></style><script>window.owned = true</script>",
    '<a href="javascript:window.owned = true">press me</a>',
    "{{ 7 * 7 }} ${7*7} {% raw %} <%= 7 * 7 %>",
    '<iframe srcdoc="<script>parent.owned = true</script>"></iframe>',
    "<mark>not a mark</mark> &lt;b&gt; &amp;amp; <!-- gone? -->",
    "\u202etxet desrever\u202c and ]]> and \\u003cscript\\u003e",
)
"""Markup that must be seen as text, and never be anything else."""


def corpus(folder: Path) -> Iterator[Document | ReadFailure]:
    """Write what are files into a new folder, and yield all documents: the files', and those made here."""
    shutil.copytree(Path(__file__).parent / "library", folder)
    (folder / LONG).write_text(almanac(), encoding="utf-8")
    write_survey(folder / PAGED)
    yield from read_corpus(folder)
    yield hostile()
    yield from map(report, range(REPORTS))


def hostile() -> Document:
    """Return a document whose every field is an attack on whoever shows it."""
    text = "\n\n".join(
        f"The marmalade procedure, step {number}, reads {payload} and goes on with marmalade."
        for number, payload in enumerate(PAYLOADS, 1)
    )
    return Document(
        HOSTILE,
        f"# Marmalade {PAYLOADS[0]}\n\n{text}",
        f"Marmalade {PAYLOADS[0]} {PAYLOADS[1]}",
        {
            "author": PAYLOADS[2],
            "topic": PAYLOADS[1],
            "date": date(2016, 2, 29),
            "year": 2016,
            "tags": (PAYLOADS[0], PAYLOADS[4], "javascript:alert(1)"),
        },
        source="javascript:window.owned=true//<script>window.owned = true</script>",
        blocks=(Block("heading", 2, 2 + len("Marmalade ") + len(PAYLOADS[0]), 1),),
    )


def report(number: int) -> Document:
    """Return one of many alike: a page of a log, with a date, a topic and an author."""
    sites = ("north", "south", "east", "west")
    faults = (
        "a worn seal",
        "air in the line",
        "a loose coupling",
        "a blocked strainer",
        "a cracked vane",
        "nothing",
    )
    site, fault = sites[number % 4], faults[number % 6]
    year = 2015 + number // 4
    text = (
        f"The pump of the {site} station was inspected after {120 + 37 * number} hours of running. The engineer "
        f"found {fault}. The bearings were greased and the flow was measured at {18 + number % 9} litres a second. "
        f"The next inspection of the pump is due after {200 + number} hours. Vibration was within what is allowed."
    )
    metadata: dict[str, MetadataValue] = {
        "author": ("Ada Winter", "Jon Reyes", "Mei Tan")[number % 3],
        "topic": "reports",
        "date": date(year, 1 + number % 12, 1 + number % 28),
        "year": year,
        "tags": ("pump", site),
    }
    return Document(f"report-{number:02}", text, f"Pump report {number:02}, {site} station", metadata)


def almanac() -> str:
    """Return a text of more than 100,000 characters: an entry for each day of a year."""
    months = "January February March April May June July August September October November December".split()
    birds = "heron wren curlew kestrel dunlin plover siskin fieldfare redwing skylark swift dipper".split()
    tasks = (
        "mend the south wall where frost has lifted the coping",
        "turn the compost and cover it with straw",
        "sharpen the scythe and hang it out of reach",
        "clear the gutter above the dairy door",
        "check the ewes for lameness before the ground hardens",
        "sow the second row of beans under glass",
        "limewash the cellar while the air is dry",
    )
    lines = ["---", "title: A Country Almanac for Every Day of the Year", "author: Mei Tan", "topic: garden"]
    lines += ["date: 2017-10-01", "year: 2017", "---", "# A Country Almanac for Every Day of the Year", ""]
    for month, name in enumerate(months):
        lines += [f"## {name}", ""]
        for day in range(1, 31):
            bird, task = birds[(month * 5 + day * 7) % 12], tasks[(month + day * 3) % 7]
            lines += [
                f"### {name} {day}",
                "",
                f"On {name} {day} the {bird} is seen by the lower pond. It is a day to {task}. The shadow of the "
                f"sundial is {abs(6 - month) * 11 + day} centimetres long at noon, and the moon rises behind the "
                f"barn. Whoever keeps this almanac writes down the first {bird} of the season and the depth of "
                "the well.",
                "",
            ]
    return "\n".join(lines)


def write_survey(path: Path) -> None:
    """Write a PDF of four pages, each about something else."""
    from fpdf import FPDF

    pages = {
        "Foundations": "The abutments of the bridge rest on oak piles driven to gravel. Divers found the piles sound, "
        "with scour of forty centimetres on the upstream side. Riprap is to be placed before the winter floods.",
        "Masonry": "Mortar has washed out of the joints of the second arch. The voussoirs carry no cracks. Repointing "
        "with lime mortar is advised; cement would hold water behind the stone and burst it in frost.",
        "Ironwork": "The tie rods have lost two millimetres to rust. Their load was measured by the pitch of the note "
        "that they give when struck. The parapet railings are loose at the northern end.",
        "Conclusion": "The bridge may carry vehicles of seven tonnes. A further survey of the piles is due after any "
        "flood above the iron mark, and in any case within six years.",
    }
    pdf = FPDF()
    pdf.set_title("Survey of the Old Bridge")
    pdf.set_author("Jon Reyes")
    pdf.set_creation_date(datetime(2014, 9, 3, tzinfo=UTC))
    for heading, text in pages.items():
        pdf.add_page()
        pdf.set_font("Helvetica", "B", 18)
        pdf.multi_cell(0, 10, heading, align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("Helvetica", "", 11)
        for sentence in (text, f"This page of the survey is about {heading.lower()} alone. " * 6):
            pdf.multi_cell(0, 5.5, sentence, align="L", new_x="LMARGIN", new_y="NEXT")
            pdf.ln(4)
    pdf.output(str(path))
