"""Reading pages over HTTP: the document at its passage, in short, what it is like, why it is here or not."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from selectolax.lexbor import LexborHTMLParser

from engine import SearchEngine
from indexer.filters import Eq

from .conftest import ATTACK, HOSTILE, Box
from .visitor import parameters, said

BRIDGE = "bridges/report 07.md"
BAD = quote(HOSTILE, safe="")
MANY = [
    f"/document?id={BAD}&start=0&end=40&q=marmalade",
    f"/passage?id={BAD}&start=0&end=40&q=marmalade",
    f"/similar?id={BAD}&q={quote(ATTACK)}",
    f"/summary?id={BAD}&q={quote(ATTACK)}",
    f"/why?id={BAD}&q=marmalade",
    f"/why?id={BAD}&q=marmalade&fragment=1",
    f"/why-not?id={BAD}&q=bridge",
    f"/why-not?id={quote(ATTACK)}&q={quote(ATTACK)}",
    "/you",
    "/you/erase",
]


@pytest.fixture(scope="module")
def engine(box: Box) -> SearchEngine:
    return box.service.engines.of("default")


def links(page: LexborHTMLParser, selector: str) -> list[str]:
    return [str(node.attributes["href"]) for node in page.css(selector)]


def test_the_document_is_opened_at_the_passage_with_its_words_marked(box: Box, engine: SearchEngine) -> None:
    hit = engine.search("masonry mortar", k=1).hits[0]
    first = hit.passages[0]
    page = box.page(f"/document?id={quote(hit.doc_id)}&start={first.start}&end={first.end}&q=masonry+mortar")
    assert said(page, "h1") == hit.title
    assert page.css_first("#passage") is not None
    marked = {node.text().casefold() for node in page.css(".text mark")}
    assert marked == {"masonry", "mortar"}
    shown = "".join(page.css_first(".text").text().split())
    assert "".join(engine.document(hit.doc_id).text.split()) in shown.replace("Thepassagethatwasfound", "")


def test_it_leads_back_to_the_results_as_they_were(box: Box) -> None:
    page = box.page(f"/document?id={quote(BRIDGE)}&q=arch&f.kind=iron&sort=date&page=2&strength=2&lang=zh")
    assert parameters(links(page, ".back a")[0]) == {
        "q": "arch", "f.kind": "iron", "sort": "date", "page": "2", "strength": "2", "lang": "zh"
    }  # fmt: skip
    for link in links(page, ".reading-head .acts a"):
        assert parameters(link)["f.kind"] == "iron"


def test_a_value_of_its_metadata_leads_to_all_that_share_it(box: Box) -> None:
    page = box.page(f"/document?id={quote(BRIDGE)}&q=arch")
    assert "/?q=arch&f.kind=iron" in links(page, ".known a")
    assert "1 May 2007" in said(page, ".known")


@pytest.mark.parametrize("path", MANY)
def test_markup_in_documents_and_queries_is_text(box: Box, path: str) -> None:
    page = box.page(path)
    scripts = [
        node for node in page.css("script") if not str(node.attributes.get("src")).startswith("/static/")
    ]
    assert scripts == []
    assert page.css("[style], style, iframe, img, [onerror], [onload]") == []
    for link in links(page, "a[href]"):
        assert link.startswith(("/", "#")), link


@pytest.mark.parametrize("path", ["/document", "/passage", "/similar", "/why", "/summary"])
def test_a_document_that_is_not_there_is_a_page_that_says_so(box: Box, path: str) -> None:
    answer = box.get(f"{path}?id=nowhere&q=x")
    assert answer.status_code == 404
    assert "There is no such document" in answer.text


def test_a_passage_alone_is_a_piece_of_a_page(box: Box, engine: SearchEngine) -> None:
    answer = box.get(f"/passage?id={quote(BRIDGE)}&start=4&end=30&q=bridge")
    assert "<html" not in answer.text
    piece = LexborHTMLParser(answer.text)
    assert "".join(piece.css_first(".text").text().split()) == "".join(
        engine.document(BRIDGE).text[4:30].split()
    )
    assert [node.text() for node in piece.css("mark")] == ["bridge"]


def test_the_account_adds_up_to_the_score_and_says_what_each_word_brought(
    box: Box, engine: SearchEngine
) -> None:
    hit = engine.search("masonry winter", k=3, explain=True).hits[2]
    page = box.page(f"/why?id={quote(hit.doc_id)}&q=masonry+winter")
    values = [float(node.text().replace("−", "-")) for node in page.css(".sum tbody .number")]
    total = float(said(page, ".sum tfoot .number"))
    assert total == pytest.approx(hit.score, abs=6e-4)
    assert sum(values) == pytest.approx(total, abs=1e-3 * len(values))
    assert "number 3 for" in said(page, ".lead")
    words = {
        str(row.css_first("th").text()): row.css_first(".number").text() for row in page.css(".bars tbody tr")
    }
    assert words == {share.word: f"{share.bm25:.2f}" for share in hit.ledger.words}
    assert len(words) == 2


def test_steps_of_the_account_join_up_from_nothing_to_the_score(box: Box) -> None:
    page = box.page(f"/why?id={quote(BRIDGE)}&q=masonry+winter")
    zero = page.css_first(".sum rect.zero")
    at = float(zero.attributes["x"] or 0) if zero is not None else 0.0
    scale = None
    for row in page.css(".sum tbody tr"):
        value = float(row.css_first(".number").text().replace("−", "-"))
        drawn = row.css_first(".step-bar rect:not(.ground):not(.zero)")
        x, width = float(drawn.attributes["x"] or 0), float(drawn.attributes["width"] or 0)
        begin, end = (x + width, x) if value < 0 else (x, x + width)
        assert begin == pytest.approx(at, abs=0.5)
        if abs(value) > 0.1:
            scale = scale or width / abs(value)
            assert width == pytest.approx(abs(value) * scale, rel=0.02)
        at = end


def test_why_not_names_the_stage_in_the_readers_language(box: Box) -> None:
    path = f"/why-not?id={quote(BRIDGE)}&q=bridge&f.kind=stone"
    assert "A filter leaves it out." in said(box.page(path), ".verdict")
    chinese = box.page(path + "&lang=zh")
    assert "筛选条件排除了它" in said(chinese, ".verdict")
    assert "lang" not in chinese.css_first(".sentences li").attributes


def test_what_is_further_down_has_its_account(box: Box, engine: SearchEngine) -> None:
    last = engine.search("bridge", k=100).hits[-1]
    page = box.page(f"/why-not?id={quote(last.doc_id)}&q=bridge")
    assert f"at rank {last.rank}" in said(page, ".sentences")
    assert page.css(".sum")


def test_a_title_in_the_place_of_an_id_finds_the_document_that_is_meant(box: Box) -> None:
    page = box.page("/why-not?id=report+7&q=mortar")
    assert "There is no document with the id" in said(page, ".verdict")
    assert any(parameters(link)["id"] == BRIDGE for link in links(page, ".candidates a"))


def test_a_whole_title_is_as_good_as_an_id(box: Box) -> None:
    answer = box.get("/why-not?id=%20bridge%20%20REPORT%207&q=mortar&f.kind=stone")
    assert answer.status_code == 303
    assert parameters(answer.headers["location"]) == {"id": BRIDGE, "q": "mortar", "f.kind": "stone"}


def test_the_form_of_why_not_is_there_without_anything(box: Box) -> None:
    assert box.page("/why-not").css_first('form[action="/why-not"] input[name="id"]') is not None


def test_documents_like_it_are_the_engines(box: Box, engine: SearchEngine) -> None:
    page = box.page(f"/similar?id={quote(BRIDGE)}&q=arch")
    assert [parameters(link)["id"] for link in links(page, ".likes .title a")] == [
        one.doc_id for one in engine.similar(BRIDGE, k=10)
    ]
    assert all(parameters(link)["q"] == "arch" for link in links(page, ".likes .title a"))


def test_sentences_of_a_summary_lead_to_where_they_stand(box: Box, engine: SearchEngine) -> None:
    page = box.page(f"/summary?id={quote(BRIDGE)}&id={quote('zh/桥.md')}&id=gone&q=mortar")
    assert len(page.css(".short")) == 2
    assert "gone" in said(page, ".notice")
    for node in page.css(".sentence"):
        place = parameters(str(node.attributes["href"]))
        text = engine.document(place["id"]).text[int(place["start"]) : int(place["end"])]
        assert "".join(node.text().split()) == "".join(text.split())


def test_a_summary_of_nothing_says_what_to_do(box: Box) -> None:
    assert "No document was chosen" in said(box.page("/summary?q=x"), ".empty")


def test_a_summary_of_too_many_says_how_many_are_left_out(box: Box) -> None:
    ids = "&".join(f"id=bridges/report {number:02}.md".replace(" ", "%20") for number in range(13))
    page = box.page(f"/summary?{ids}")
    assert len(page.css(".short")) == 10
    assert "3 more were chosen" in said(page, ".notice")


def test_filters_count_in_why_as_in_the_list(box: Box, engine: SearchEngine) -> None:
    hits = engine.search("bridge", k=8, filters=Eq("kind", "iron")).hits
    for hit in hits[::3]:
        page = box.page(f"/why?id={quote(hit.doc_id)}&q=bridge&f.kind=iron")
        assert f"number {hit.rank} for" in said(page, ".lead")


def test_a_box_for_known_readers_shows_nobody_a_document(make_box: Callable[..., Box]) -> None:
    closed = make_box(box="token")
    for path in ("/document", "/passage", "/why", "/why-not", "/similar", "/summary", "/you", "/you/export"):
        answer = closed.get(f"{path}?id={quote(BRIDGE)}&q=bridge")
        assert answer.status_code == 401, path
        assert "mortar" not in answer.text
    assert closed.get(f"/document?id={quote(BRIDGE)}", reader="ann").status_code == 200
