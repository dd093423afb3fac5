"""What may be meant by what was typed: against a slow plain version that looks at every title and heading."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine import Completion, InvalidQuery, SearchEngine
from engine.completion import Completions, build_completions
from engine.completion.entries import Entry, is_file_name, searchable
from engine.completion.pieces import joined, pieces_of, spans_of
from engine.syntax import parse
from indexer.analyser import Analyser
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index
from indexer.splitter import SplitterSettings

ANALYSER = Analyser("english")
ENCODER = HashingEncoder(16)
HAN = "深度学习方法与海洋"
WORDS = "wing wings winglet win wind Wing café CAFE ｃａｆｅ cafeteria of the flow Flow flowing mach mach2 4 f".split()
TITLES = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
    | st.text(HAN, min_size=1, max_size=6)
    | st.tuples(st.text(HAN, min_size=1, max_size=3), st.sampled_from(WORDS)).map(" ".join),
    max_size=14,
)
TYPED = (
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).flatmap(
        lambda words: st.integers(1, len(words[-1])).map(lambda n: " ".join([*words[:-1], words[-1][:n]]))
    )
    | st.text(HAN, min_size=1, max_size=4)
    | st.sampled_from(["wing ", "  wing", "the ", "海洋 f", "f 海", "", " ", "?", "wing flow ", "海 "])
)


def plain(text: str) -> list[str]:
    """Return the words of a text without accents, case and width; of Chinese, the stretches."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")
    return re.findall(r"[a-z0-9]+|[\u4e00-\u9fff]+", bare.casefold())


def plainly(titles: Sequence[str], headings: Sequence[str], typed: str, k: int) -> list[tuple[str, str]]:
    """Return kind and text of what is offered, by looking at every title and heading. Chinese words apart."""
    written: dict[str, str] = {}
    counts: Counter[str] = Counter()
    kinds: dict[str, str] = {}
    for kind, texts in (("title", titles), ("heading", headings)):
        for text in texts:
            name = " ".join(plain(text))
            written.setdefault(name, text)
            kinds.setdefault(name, kind)
            counts[name] += 1
    names = sorted(
        written, key=lambda name: (kinds[name] != "title", -counts[name], len(written[name]), written[name])
    )
    wanted = plain(typed)
    if not wanted:
        return []
    *others, last = wanted
    han = not last.isascii()
    complete = not han and typed[-1] == " "

    def holds(name: str, word: str) -> bool:
        pieces = name.split()
        return word in pieces if word.isascii() else any(word in one for one in pieces if not one.isascii())

    def ends(name: str) -> bool:
        if han or complete:
            return holds(name, last)
        return any(word.startswith(last) for word in name.split() if word.isascii())

    beside = [name for name in names if all(holds(name, word) for word in others)]
    matching = [name for name in beside if ends(name)]
    begun = " ".join(wanted)
    first = [
        name
        for name in matching
        if (name == begun or name.startswith(begun + " ") if complete else name.startswith(begun))
    ]
    whole = (first + [name for name in matching if name not in first])[:k]
    room = k - min(len(whole), k // 2)
    sure = {name for name in whole[: k - room] if kinds[name] == "title"}
    words: list[tuple[str, str]] = []
    for word in [] if han or complete else _words(beside, last, set(" ".join(names).split())):
        name = " ".join([*others, word])
        if len(words) < room and name not in sure:
            words.append(("word", name))
            whole = [other for other in whole if other != name]
    return words + [(kinds[name], written[name]) for name in whole[: k - len(words)]]


def _words(beside: Sequence[str], last: str, known: set[str]) -> list[str]:
    """Return the words that begin so, the most frequent first, one of each stem."""
    counts = Counter(word for name in beside for word in {*name.split()} if word.startswith(last))
    stems = {ANALYSER.terms(last)[0]} if last in known else set()
    found = []
    for word in sorted(counts, key=lambda word: (-counts[word], word)):
        stem = ANALYSER.terms(word)[0]
        if (
            re.search("[a-z]", word)
            and len(word) > 1
            and stem not in stems
            and not ANALYSER.is_stopword(stem)
        ):
            stems.add(stem)
            found.append(word)
    return found


def completions(titles: Sequence[str], headings: Sequence[str] = ()) -> Completions:
    """Return the completions of some titles and headings, as `entries_of` gathers them."""
    found: dict[str, Entry] = {}
    for texts, is_title in ((titles, True), (headings, False)):
        for number, text in enumerate(texts):
            pieces = pieces_of(searchable(text))
            entry = Entry.of(searchable(text), pieces, f"d{number:03}" if is_title else None)
            entry = found.setdefault(entry.name, entry)
            entry.documents += 1
            entry.offers_words = True
    entries = sorted(found.values(), key=lambda e: (not e.is_title, -e.documents, len(e.text), e.text))
    return Completions(entries, ANALYSER, {"year": frozenset({"number"})})


@given(titles=TITLES, headings=TITLES, typed=TYPED, k=st.sampled_from([0, 1, 2, 5, 8, 30]))
@example(titles=["wing"], headings=["wing", "wings"], typed="win", k=8)
@settings(deadline=None, max_examples=300)
def test_the_same_as_looking_at_every_title(
    titles: list[str], headings: list[str], typed: str, k: int
) -> None:
    found = completions(titles, headings).complete(typed, k)
    if plain(typed) and not plain(typed)[-1].isascii():
        found = tuple(one for one in completions(titles, headings).complete(typed, 100) if one.kind != "word")
        expected = plainly(titles, headings, typed, 100)
    else:
        expected = plainly(titles, headings, typed, k)
    assert [
        (one.kind, " ".join(plain(one.text)) if one.kind == "word" else one.text) for one in found
    ] == expected


@given(titles=TITLES, headings=TITLES, typed=TYPED)
@settings(deadline=None, max_examples=100)
def test_highlights_are_what_was_typed(titles: list[str], headings: list[str], typed: str) -> None:
    for one in completions(titles, headings).complete(typed, 30):
        at = 0
        wanted = plain(typed)
        marked = []
        for start, end in one.highlights:
            assert at <= start < end <= len(one.text)
            marked += plain(one.text[start:end])
            at = end
        assert marked
        for word in marked:
            assert any(word == other or (other == wanted[-1] and word in other) for other in wanted) or (
                not word.isascii()  # stretches that touch are one
            )
        if one.kind == "word":
            assert one.text.startswith(typed.lstrip()[: len(typed.lstrip()) - len(wanted[-1])])


def shown(found: Sequence[Completion]) -> list[str]:
    """Return texts with brackets around what was typed."""
    lines = []
    for one in found:
        line, at = "", 0
        for start, end in one.highlights:
            line += f"{one.text[at:start]}[{one.text[start:end]}]"
            at = end
        lines.append(f"{one.kind}: {line}{one.text[at:]}")
    return lines


def test_chinese_is_completed_from_any_character_on() -> None:
    made = completions(["深度学习方法", "海洋学", "机器学习导论"], ["学习"])
    found = shown(made.complete("学习", 8))
    assert found[-3:] == ["heading: [学习]", "title: 机器[学习]导论", "title: 深度[学习]方法"]
    assert all(line.startswith("word: [学习]") for line in found[:-3])
    texts = [one.text for one in made.complete("习", 8)]
    assert texts == ["学习", "深度学习方法", "机器学习导论"] or set(texts) == {
        "学习",
        "深度学习方法",
        "机器学习导论",
    }
    assert "深度学习" in [one.text for one in made.complete("深度学", 8) if one.kind == "word"]
    assert "海洋学" in [one.text for one in made.complete("海洋", 8)]


def test_accents_case_and_width_do_not_matter() -> None:
    made = completions(["Café Müller", "Žižek über Æther", "ＦＵＬＬ width"])
    assert shown(made.complete("CAFE mu", 8))[-1] == "title: [Café] [Mü]ller"
    assert shown(made.complete("zi", 8))[-1] == "title: [Ži]žek über Æther"
    assert shown(made.complete("aet", 8))[-1] == "title: Žižek über [Æt]her"
    assert shown(made.complete("full", 8))[-1] == "title: [ＦＵＬＬ] width"


def test_operators_stay_as_they_were_typed() -> None:
    made = completions(["boundary layer theory", "heat flow now"])
    assert shown(made.complete('+heat "bound', 8)) == []  # no title has both
    assert shown(made.complete("+heat fl", 8)) == ["word: +[heat] [fl]ow", "title: [heat] [fl]ow now"]
    assert shown(made.complete('"boundary la', 8))[0] == 'word: "[boundary] [la]yer'
    assert [one.text for one in made.complete("title:bou", 8)] == ["title:boundary", "boundary layer theory"]
    assert made.complete("heat -fl", 8) == ()
    assert made.complete("year:19", 8) == ()
    assert made.complete("year:1990 hea", 8)[0].text == "year:1990 heat"


def test_words_are_written_as_they_mostly_are() -> None:
    made = completions(
        ["NASA reports", "Nasal NASA", "Boundary values", "A boundary", "iPhone", "the iPhone"]
    )
    assert [one.text for one in made.complete("nas", 8) if one.kind == "word"] == ["NASA", "nasal"]
    assert made.complete("bou", 8)[0].text == "boundary"
    assert made.complete("iph", 8)[0].text == "iPhone"


def test_long_and_empty_texts_are_not_completed() -> None:
    made = completions(["wing"])
    assert made.complete("wing " * 50 + "wi", 8) == ()
    assert made.complete("a " * 30 + "wi", 8) == ()
    assert completions([]).complete("wi", 8) == ()
    assert len(made) == 1


@given(text=st.text("ab:-+\"“”'./\\ 1年é_", max_size=12) | st.text(max_size=12))
@settings(deadline=None, max_examples=300)
def test_what_is_offered_holds_no_operator(text: str) -> None:
    safe = searchable(text)
    parsed = parse(safe, {"a": frozenset({"string"}), "year": frozenset({"number"})})
    assert (parsed.parts, parsed.filters, parsed.notices) == ((), (), ())
    assert joined(pieces_of(safe)) == joined(pieces_of(" ".join(text.split())))


@given(text=st.text(max_size=20), typed=st.text(max_size=6))
@settings(deadline=None, max_examples=200)
def test_any_text_has_pieces_in_order_and_spans_inside(text: str, typed: str) -> None:
    at = 0
    for piece in pieces_of(text):
        assert at <= piece.start <= piece.end <= len(text)
        assert piece.folded
        at = piece.start
    at = -1
    for start, end in spans_of(text, pieces_of(typed), complete=False):
        assert at < start <= end <= len(text)
        at = end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("report_v2.pdf", True),
        ("notes/2020/x", True),
        ("chapter03", True),
        ("os.path", True),
        ("Wings", False),
        ("Wing 3", False),
        ("第3章", False),
        ("state-of-the-art", False),
    ],
)
def test_files_names_are_known(text: str, expected: bool) -> None:
    assert is_file_name(text) is expected


@pytest.fixture
def library(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Index]:
    def make(*documents: Document) -> Index:
        index = Index.create(
            tmp_path_factory.mktemp("library") / "index",
            encoder=ENCODER,
            passages=SplitterSettings(tokens=64, overlap=0),
        )
        with index.writer() as writer:
            for document in documents:
                writer.add(document)
        return index

    return make


def test_an_index_gives_its_titles_and_headings_once(library: Callable[..., Index]) -> None:
    long, body = "wide " * 30, "They are as thick as can be. " * 9
    text = f"# Wing shapes\n\n{body}\n\n## Wing   Roots\n\n{body}\n\n# {long}\n\n{body}"
    index = library(
        Document("b", text, "Wings"),
        Document("a", text, "WINGS"),
        Document("c", "Body.", "wing_report_v2.pdf"),
        Document("d", "Body.", ""),
        Document("e", "Body.", "w" * 201),
        Document("f", "# Wings\n\nBody.", "Other\nwings"),
    )
    made = build_completions(index.reader())
    found = made.complete("wing", 20)
    assert [(one.kind, one.text, one.doc_id) for one in found] == [
        ("title", "Wings", "a"),
        ("title", "wing_report_v2.pdf", "c"),
        ("heading", "Wing Roots", ""),
        ("heading", "Wing shapes", ""),
        ("title", "Other wings", "f"),
    ]
    assert made.complete("wide", 20) == ()
    assert made.complete("repo", 20)[0].kind == "title"  # no word, since a file is called so
    assert made.complete("pdf", 20)[0].doc_id == "c"


def test_of_many_documents_an_even_spread_is_read(library: Callable[..., Index]) -> None:
    index = library(*(Document(f"d{n:02}", f"# Part {n}\n\nBody.", f"Volume {n}") for n in range(30)))
    made = build_completions(index.reader(), most_documents=10, most_headings=3)
    assert len(made) == 13
    assert made.complete("volume", 30) == build_completions(
        index.reader(), most_documents=10, most_headings=3
    ).complete("volume", 30)
    numbers = sorted(int(one.text.split()[1]) for one in made.complete("volume ", 30))
    assert numbers[0] < 5
    assert numbers[-1] > 24
    assert len(build_completions(index.reader())) == 60


def test_an_engine_completes_and_sees_new_titles(library: Callable[..., Index]) -> None:
    index = library(Document("a", "Body.", "Delta wing"))
    engine = SearchEngine(index, ENCODER)
    assert [one.text for one in engine.complete("del")] == ["delta", "Delta wing"]
    for completion in engine.complete("del"):
        assert engine.search(completion.text).hits
    with index.writer() as writer:
        writer.add(Document("b", "Body.", "Delusion"))
    assert engine.complete("delu") == ()
    assert engine.refresh()
    engine.prepare_completions()
    assert [one.to_json() for one in engine.complete("delu")] == [
        {"text": "Delusion", "kind": "title", "doc_id": "b", "highlights": [[0, 4]]}
    ]
    assert engine.complete("delu", k=0) == ()
    assert not engine.prepare_completions()
    assert not engine.beside("lab").prepare_completions()  # tenants share what is made of the index
    with pytest.raises(InvalidQuery, match="is a string"):
        engine.complete(7)  # type: ignore[arg-type]
    with pytest.raises(InvalidQuery, match="whole number"):
        engine.complete("x", k=-1)
