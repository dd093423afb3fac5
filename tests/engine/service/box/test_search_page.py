"""The search page as HTML: what is shown, where it leads, and that text stays text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from engine import SearchSettings
from engine.service.box.urls.asked import Asked

from .conftest import ATTACK, HOSTILE, Box


def search(text: str, **parameters: str) -> str:
    return "/?" + urlencode({"q": text, **parameters})


def texts(page: LexborHTMLParser, selector: str) -> list[str]:
    return [" ".join(node.text().split()) for node in page.css(selector)]


def keys(page: LexborHTMLParser) -> list[str]:
    return [str(node.attributes["data-key"]) for node in page.css(".hit")]


def follow(box: Box, link: LexborNode | None) -> LexborHTMLParser:
    assert link is not None
    return box.page(str(link.attributes["href"]))


def engine_hits(box: Box, asked: Asked, k: int = 10) -> list[str]:
    engine = box.service.engines.of("default")
    return [hit.doc_id for hit in engine.search(asked.query(None, "date"), k=k).hits]


def test_hits_are_the_engines_in_its_order(box: Box) -> None:
    page = box.page(search("bridge winter load"))
    assert keys(page) == engine_hits(box, Asked(text="bridge winter load"))
    second = box.page(search("bridge winter load", page="2"))
    assert keys(page) + keys(second) == engine_hits(box, Asked(text="bridge winter load"), k=20)


def test_words_of_the_query_are_marked_and_nothing_else_is(box: Box) -> None:
    page = box.page(search("masonry"))
    assert {word.casefold() for word in texts(page, ".hit mark")} == {"masonry"}


def test_a_document_full_of_markup_shows_as_text(box: Box) -> None:
    page = box.page(search("marmalade recipe", **{"f.kind": ATTACK}))
    assert keys(page) == [HOSTILE]
    assert not page.css(".hit script")
    assert [node for node in page.css("script") if not node.attributes.get("src")] == []
    assert ATTACK in texts(page, ".title")[0]
    assert ATTACK in texts(page, ".said")[0]
    assert ATTACK in texts(page, ".by")[0]
    assert "{{ 7 * 7 }}" in texts(page, ".said")[0]
    assert any(ATTACK in chip for chip in texts(page, ".chip"))
    assert any(ATTACK in choice for choice in texts(page, ".choice"))
    assert page.css_first("input[name=doc_id]").attributes["value"] == HOSTILE
    for link in page.css("a[href]"):
        assert str(link.attributes["href"]).startswith(("/", "#"))


@pytest.mark.parametrize(
    "text", [ATTACK, '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "\u202eabc", "a\x00b", "&lt;"]
)
def test_a_query_full_of_markup_shows_as_text(box: Box, text: str) -> None:
    page = box.page(search(text))
    assert not page.css("img")
    assert [node for node in page.css("script") if not node.attributes.get("src")] == []
    shown = page.css_first("#q").attributes["value"]
    assert shown == text.replace("\x00", "\ufffd")


def test_nothing_is_in_line_for_the_policy_allows_nothing(box: Box) -> None:
    for path in (
        "/",
        search("bridge"),
        search("+nothing +atall"),
        search("bridge", lang="zh"),
        "/results?q=bridge",
    ):
        page = box.page(path)
        assert not page.css("[style], style")
        for node in page.css("*"):
            assert not [name for name in node.attributes if name.startswith("on")]


def test_links_lead_to_the_passage_and_keep_the_search(box: Box) -> None:
    page = box.page(search("masonry", **{"f.kind": "iron", "sort": "-date"}))
    hit = page.css_first(".title a")
    parts = urlsplit(str(hit.attributes["href"]))
    asked = parse_qs(parts.query)
    assert parts.path == "/document"
    assert asked["q"] == ["masonry"]
    assert asked["f.kind"] == ["iron"]
    assert asked["sort"] == ["-date"]
    engine = box.service.engines.of("default")
    text = engine.document(asked["id"][0], start=int(asked["start"][0]), end=int(asked["end"][0])).text
    assert "asonry" in text


def test_facets_count_what_was_found_and_lead_to_it(box: Box) -> None:
    page = box.page(search("bridge masonry"))
    choices = {node.css_first("bdi").text(): node for node in page.css(".facet .choice")}
    assert {"stone", "iron", "wood", "yes", "no"} <= set(choices)
    count = choices["iron"].css_first(".count [aria-hidden]").text()
    narrowed = follow(box, choices["iron"])
    assert count in texts(narrowed, "#found")[0]
    assert texts(narrowed, ".chip") == ["Remove the filter Kind: iron"]
    assert texts(narrowed, ".choice.chosen bdi") == ["iron"]
    others = {node.css_first("bdi").text(): node for node in narrowed.css(".facet .choice")}
    both = follow(box, others["wood"])
    assert texts(both, ".choice.chosen bdi") == ["iron", "wood"]
    asked = Asked(text="bridge masonry", chosen=(("kind", "iron"), ("kind", "wood")))
    assert keys(both) == engine_hits(box, asked)
    back = follow(box, narrowed.css_first(".chip"))
    assert keys(back) == keys(page)


def test_a_value_that_leaves_nothing_can_be_taken_back(box: Box) -> None:
    page = box.page(search("+masonry", **{"f.kind": "no such kind"}))
    choices = {node.css_first("bdi").text(): node for node in page.css(".facet .choice")}
    assert keys(page) == []
    assert "chosen" in str(choices["no such kind"].attributes["class"])
    assert keys(follow(box, choices["stone"]))
    assert keys(follow(box, choices["no such kind"])) == keys(box.page(search("+masonry")))


def test_true_and_false_are_chosen_like_words(box: Box) -> None:
    page = box.page(search("bridge masonry", **{"f.sound": "true"}))
    assert all(int(key[-5:-3]) % 2 == 0 for key in keys(page))


def test_a_value_too_long_for_an_address_is_not_offered(box: Box) -> None:
    page = box.page(search("zyzzyva"))
    assert keys(page)[0] == "long.txt"
    assert all(len(str(link.attributes["href"])) < 2000 for link in page.css("a"))
    assert all(len(text) < 1500 for text in texts(page, ".said, .title"))


def test_dates_narrow_and_sort(box: Box) -> None:
    page = box.page(search("bridge masonry", **{"from": "2005-01-01", "to": "2007-05-01", "sort": "date"}))
    assert [key[-5:-3] for key in keys(page)] == ["05", "06", "07"]
    assert texts(page, ".chip bdi") == ["From 1 January 2005", "To 1 May 2007"]
    assert page.css_first("input[name=from]").attributes["value"] == "2005-01-01"
    newest = follow(box, page.css("nav.orders a")[1])
    assert [key[-5:-3] for key in keys(newest)] == ["07", "06", "05"]


def test_forms_carry_along_what_they_do_not_ask(box: Box) -> None:
    page = box.page(
        search("bridge", **{"f.kind": "iron", "to": "2020-01-01", "sort": "date", "page": "2", "lang": "en"})
    )

    def fields(selector: str) -> dict[str, str]:
        return {
            str(node.attributes["name"]): str(node.attributes["value"])
            for node in page.css(f"{selector} input")
            if node.attributes.get("type") == "hidden"
        }

    rest = {"f.kind": "iron", "sort": "date", "lang": "en"}
    assert fields("#ask") == rest | {"to": "2020-01-01"}
    assert fields("form.dates") == rest | {"q": "bridge"}


def test_pages_lead_through_everything_once(box: Box) -> None:
    page = box.page(search("bridge masonry"))
    seen: list[str] = []
    while True:
        seen += keys(page)
        after = page.css_first("a[rel=next]")
        if after is None:
            break
        page = follow(box, after)
    assert len(seen) == len(set(seen))
    assert len(seen) > 20
    assert texts(page, ".pager [aria-current=page]") == ["Page 3"]


def test_a_page_beyond_the_last_leads_back(box: Box) -> None:
    page = box.page(search("bridge masonry", page="999999"))
    assert keys(page) == []
    assert keys(follow(box, page.css_first(".empty a"))) == keys(box.page(search("bridge masonry")))


def test_every_hit_has_a_bar_that_says_what_it_shows(box: Box) -> None:
    page = box.page(search("masonry bridge"))
    engine = box.service.engines.of("default")
    for node, hit in zip(page.css(".hit"), engine.search("masonry bridge", k=10).hits, strict=True):
        bar = node.css_first("svg.bar")
        assert bar.attributes["role"] == "img"
        assert f"Score {hit.score:.2f}" in str(bar.attributes["aria-label"])
        assert len(node.css("svg.bar rect[class^=s-]")) == sum(term.value != 0 for term in hit.ledger.terms)
        shown = [" ".join(cell.text().split()) for cell in node.css(".ledger tbody td:last-child")]
        assert shown == [term.detail for term in hit.ledger.terms]


def test_what_has_no_title_goes_by_how_it_begins_and_no_path_of_the_machine_is_told(box: Box) -> None:
    page = box.page(search("+quokka"))
    assert texts(page, ".title")[0] == "A quokka sat in the shade of a eucalyptus"
    assert texts(page, ".hit .source")[0] == "notes/untitled thing.txt"


def test_a_page_beyond_the_last_says_how_many_there_are(box: Box) -> None:
    page = box.page(search("bridge", page=99_999))
    assert not page.css(".hit")
    assert "–" not in texts(page, "h1")[0]
    assert page.css_first(".empty a") is not None


def test_languages_are_said_where_they_are_known(box: Box) -> None:
    page = box.page(search("长江大桥", lang="zh"))
    assert page.css_first("html").attributes["lang"] == "zh-Hans"
    hit = page.css_first(".hit")
    assert hit.css_first(".title").attributes["lang"] == "zh"
    assert hit.css_first(".said").attributes["lang"] == "zh"
    assert page.css_first("#ask .go").text() == "搜索"
    assert "lang=zh" in str(page.css_first(".chip, .title a").attributes["href"])


def test_the_browsers_language_is_spoken_unless_the_address_names_one(box: Box) -> None:
    assert box.page("/", accept_language="zh-CN").css_first("html").attributes["lang"] == "zh-Hans"
    page = box.page("/?lang=en", accept_language="zh-CN")
    assert page.css_first("html").attributes["lang"] == "en"
    other = follow(box, page.css_first("a.language"))
    assert other.css_first("html").attributes["lang"] == "zh-Hans"


def test_nothing_found_says_what_to_loosen(box: Box) -> None:
    page = box.page(search('+quokka "no such words"', **{"f.kind": "iron"}))
    assert texts(page, "h1") == ["Nothing found"]
    assert [link.text() for link in page.css(".loosen a bdi")] == ["Kind: iron"]
    assert not page.css(".loosen a.strong, .notices li")  # which would say the same once more
    plain = Asked(text="quokka no such words", chosen=(("kind", "iron"),)).url
    assert plain in [str(link.attributes["href"]) for link in page.css(".nothing a")]


def test_a_misspelt_word_is_asked_about(box: Box) -> None:
    page = box.page(search("masonxry bridge"))
    link = page.css_first(".meant a")
    assert link.text() == "masonry bridge"
    assert "Masonry" in texts(follow(box, link), ".hit mark")
    assert not box.page("/results?typing=1&" + urlencode({"q": "masonxry bridge"})).css(".meant")


def test_a_filter_that_cannot_be_is_a_page_with_a_way_out(box: Box) -> None:
    answer = box.get(search("bridge", **{"f.knid": "iron"}))
    assert answer.status_code == 422
    page = LexborHTMLParser(answer.text)
    assert "knid" in page.css_first(".told p").text()
    assert page.css_first("#q").attributes["value"] == "bridge"
    assert keys(follow(box, page.css_first("a.strong")))


def test_an_address_that_is_too_long_to_be_a_query_is_refused_kindly(box: Box) -> None:
    answer = box.get("/?q=" + "x" * 3000)
    assert answer.status_code == 422
    assert LexborHTMLParser(answer.text).css_first("h1").text() == "That could not be understood"


def test_a_search_with_a_second_reading_comes_in_two_beats(make_box: Callable[..., Box]) -> None:
    box = make_box(SearchSettings(reranker="overlap"))
    page = box.page("/results?beat=first&q=masonry+bridge")
    state = page.css_first("[data-state]").attributes
    assert state["data-beat"] == "first"
    assert not page.css("svg.bar .s-rerank")
    assert "data-twice" in box.page("/").css_first("#answer").attributes
    final = box.page("/results?beat=final&q=masonry+bridge")
    assert final.css(".hit")[0].css_first("svg.bar .s-rerank") is not None
    assert "read again" in final.css_first(".end").text()


def test_the_empty_page_says_what_there_is(box: Box) -> None:
    page = box.page("/")
    assert page.css_first("body").attributes["class"] == "home"
    assert "28 documents" in page.css_first(".holds").text()
    assert texts(page, "#suggested") == ["Newest"]
    assert page.css_first(".suggested a").text() == "Bridge report 23"
    example = page.css_first(".examples a")
    assert keys(follow(box, example))


def test_nobody_is_told_that_nothing_is_kept(box: Box) -> None:
    answer = box.get(search("bridge"))
    assert "set-cookie" not in answer.headers
    page = LexborHTMLParser(answer.text)
    assert "Nothing is kept" in page.css_first(".reader").text()
    assert not page.css("input[type=range]")


def test_without_guests_nobody_is_offered_to_rate(make_box: Callable[..., Box]) -> None:
    box = make_box(guests=False)
    assert not box.page(search("bridge")).css("form.rating")
    assert box.page(search("bridge"), reader="ada").css("form.rating")


def test_a_reader_is_named_and_can_weigh_their_interests(box: Box) -> None:
    page = box.page(search("bridge"), reader="ada")
    assert "For ada" in page.css_first(".reader").text()
    assert page.css_first("input[type=range]").attributes["value"] == "1"
    off = box.page(str(page.css_first(".reader .links a").attributes["href"]), reader="ada")
    assert not off.css("input[type=range]")
    assert "do not count" in off.css_first(".reader").text()


def test_a_reader_cannot_be_named_in_the_address(box: Box) -> None:
    page = box.page("/?q=bridge&user_id=ada&quire_reader=ada")
    assert "ada" not in page.css_first(".reader").text()


def test_suggestions_are_the_engines(box: Box) -> None:
    found = box.get("/suggest?" + urlencode({"q": "bridge rep"})).json()["suggestions"]
    expected = box.service.engines.of("default").complete("bridge rep", k=7)
    assert [one["text"] for one in found] == [one.text for one in expected]
    for one, completion in zip(found, expected, strict=True):
        assert "".join(text for text, _ in one["pieces"]) == completion.text
        typed = [text for text, is_typed in one["pieces"] if is_typed]
        assert typed == [completion.text[low:high] for low, high in completion.highlights]
    assert box.get("/suggest").json() == {"suggestions": []}


def test_files_are_kept_for_good_where_their_address_is_of_their_content(box: Box) -> None:
    page = box.page("/")
    sheet = str(page.css_first("link[rel=stylesheet]").attributes["href"])
    answer = box.get(sheet)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    plain = box.get(sheet, accept_encoding="identity")
    assert answer.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert plain.text == answer.text
    old = box.get("/static/of-last-year/quire.css")
    assert old.status_code == 200
    assert old.headers["cache-control"] == "no-cache"
    assert box.get("/favicon.ico").headers["content-type"] == "image/svg+xml"
    script = str(page.css_first("script[src]").attributes["src"])
    assert box.get(script).headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "name", ["..%2Fpages.py", "%2e%2e/pages.py", "pages.py", "quire.css%00", ".", "../../x"]
)
def test_no_other_file_can_be_had(box: Box, name: str) -> None:
    assert box.get(f"/static/x/{name}").status_code == 404


def test_a_box_that_is_for_known_readers_says_so(make_box: Callable[..., Box]) -> None:
    box = make_box(box="token")
    answer = box.get(search("bridge"))
    assert answer.status_code == 401
    assert LexborHTMLParser(answer.text).css_first("h1").text() == "This search box is for known readers"
    assert keys(box.page(search("bridge"), reader="ada"))


def test_an_id_with_anything_in_it_comes_through_an_address(box: Box) -> None:
    page = box.page(search("marmalade recipe"))
    links = [str(node.attributes["href"]) for node in page.css(".title a")]
    assert any(quote(HOSTILE, safe="") in link for link in links)
    assert replace(Asked(text="x"), text='"&=%#+').url == "/?q=%22%26%3D%25%23%2B"
