import re
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

from eval.report import markdown_tables
from eval.report.markdown import plain

HOSTILE = "a|b `c` <script>x</script> [y](z) *w* _v_ \\ ~~u~~ &amp;\nnew"


def rendered(text: str) -> LexborHTMLParser:
    return LexborHTMLParser(
        MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
    )


def cells(table) -> list[list[str]]:
    return [[cell.text() for cell in row.css("td")] for row in table.css("tbody tr")]


def numbers_of(text: str) -> list[str]:
    return re.findall(r"[+−]?\d+\.\d+|[▲▼]|<0\.001", text)


@pytest.fixture(scope="module")
def markdown(result):
    return markdown_tables(result)


def test_every_table_has_the_numbers_of_the_page(result, page_text, markdown):
    page = LexborHTMLParser(page_text)
    for hidden in page.css(".sr"):
        hidden.decompose()
    parts = re.split(r"^## ", markdown, flags=re.MULTILINE)[1:]
    anchors = ["summary", *(f"c{at}-{facts.name}" for at, facts in enumerate(result.collections, 1))]
    for at, (anchor, part) in enumerate(zip(anchors, parts, strict=False)):
        head = page.css_first(f"#{anchor}")
        ours = [
            [numbers_of(cell.text(separator=" ")) for cell in row.css("td")]
            for table in head.css("table")[:2]
            for row in table.css("tbody tr")
        ]
        assert part.startswith(head.css_first("h2").text())
        assert ours
        theirs = [
            [numbers_of(cell) for cell in row[1:]]
            for table in rendered(part).css("table")
            for row in (cells(table)[:-1] if at == 0 else cells(table))
        ]
        assert theirs == ours


def test_rows_are_as_wide_as_their_heads(markdown):
    for block in re.findall(r"(?:^\|.*\n)+", markdown, flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_links_lead_somewhere(markdown):
    assert set(re.findall(r"\]\(#([^)]+)\)", markdown)) == set(re.findall(r'<a id="([^"]+)">', markdown))


def test_the_definition_is_there_to_run_again(result):
    definition = 'name = "x"\n# ```\n# ````\n'
    page = rendered(markdown_tables(replace(result, definition=definition)))
    assert page.css("pre code")[-1].text() == definition
    assert "quire eval run experiment.toml" in page.text()


def test_hostile_names_are_shown_as_they_are(make_result):
    result = make_result(
        collections=["cranfield"], systems=["bm25", HOSTILE], name=HOSTILE, description=HOSTILE
    )
    cells_ = [replace(cell, settings={HOSTILE: HOSTILE}, warnings=[HOSTILE]) for cell in result.cells]
    page = rendered(markdown_tables(replace(result, cells=cells_)))
    shown = " ".join(HOSTILE.split())
    assert not page.css("script, em, del, td code, h1 code, li code")
    assert page.css_first("h1").text() == shown
    assert page.css("table")[0].css("th")[3].text() == shown
    assert f"bm25, {shown}: {shown}" in [item.text() for item in page.css("li")]


@settings(deadline=None, max_examples=150)
@example("__0__")
@example("a #")
@example("a ##")
@example("- a")
@example("=== a")
@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"]), min_size=1, max_size=30))
def test_plain_text_comes_back(text):
    line = " ".join(text.split())
    if not line:
        return
    assert rendered(f"## {plain(text)}").css_first("h2").text().strip() == line.strip()
    assert rendered(f"| x |\n|---|\n| {plain(text)} |").css_first("td").text().strip() == line.strip()


def test_equal_results_give_equal_text(make_result, markdown):
    assert markdown_tables(make_result()) == markdown


def test_an_empty_result(make_result):
    text = markdown_tables(
        make_result(collections=[], systems=[], measures=[], baseline="", cells=[], definition="")
    )
    assert "Nothing was measured" in text
    assert "|" not in text
