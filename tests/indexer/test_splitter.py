"""Passages of documents whose structure is known, and what a splitter refuses."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from indexer.document import Block, Document
from indexer.encoder.hashing import HashingEncoder
from indexer.errors import InvalidSettings
from indexer.splitter import Splitter, SplitterSettings, contextual_text


def splitter(tokens: int = 32, overlap: int = 0) -> Splitter:
    return Splitter(HashingEncoder(), SplitterSettings(tokens, overlap))


def numbered(count: int, first: int = 0) -> str:
    return " ".join(f"w{number}" for number in range(first, first + count))


def of_blocks(*parts: tuple[str, str, int], title: str = "") -> Document:
    """Return a document of (kind, text, level) blocks, a line break between them."""
    text, blocks = "", []
    for kind, part, level in parts:
        blocks.append(Block(kind, len(text), len(text) + len(part), level))  # type: ignore[arg-type]
        text += part + "\n"
    return Document("d", text, title, blocks=tuple(blocks))


def shown(document: Document, **settings: int) -> list[tuple[tuple[str, ...], str]]:
    passages = splitter(**settings).split(document)
    return [(passage.headings, document.text[passage.start : passage.end]) for passage in passages]


def test_a_short_document_is_one_passage() -> None:
    assert shown(Document("d", "  One sentence. Another one.\n\nMore. ")) == [
        ((), "One sentence. Another one.\n\nMore.")
    ]


def test_a_document_of_no_words_is_found_by_its_title() -> None:
    (passage,) = splitter().split(Document("d", " \n ", "A title", pages=(0,)))
    assert (passage.start, passage.end, passage.ordinal, passage.tokens, passage.page) == (0, 0, 0, 0, 1)
    assert splitter().split(Document("d", " \n ")) == []
    assert splitter().split(Document("d", "")) == []


def test_sections_are_kept_apart_and_carry_their_headings() -> None:
    document = of_blocks(
        ("heading", "# Chapter", 1),
        ("heading", "## One", 2),
        ("paragraph", numbered(20), 0),
        ("heading", "## Two", 2),
        ("paragraph", numbered(20), 0),
        ("heading", "# Last", 1),
        ("paragraph", numbered(20), 0),
    )
    assert shown(document) == [
        (("Chapter", "One"), f"# Chapter\n## One\n{numbered(20)}"),
        (("Chapter", "Two"), f"## Two\n{numbered(20)}"),
        (("Last",), f"# Last\n{numbered(20)}"),
    ]


def test_small_sections_join_their_neighbours_under_the_same_heading() -> None:
    document = of_blocks(
        ("heading", "A", 1),
        *(
            (kind, part, 2 * (kind == "heading"))
            for n in range(3)
            for kind, part in (("heading", f"S{n}"), ("paragraph", f"few words {n}"))
        ),
        ("heading", "B", 1),
        ("paragraph", "few words", 0),
    )
    assert shown(document, tokens=64) == [
        (("A",), "A\nS0\nfew words 0\nS1\nfew words 1\nS2\nfew words 2"),
        (("B",), "B\nfew words"),
    ]


def test_a_heading_stays_with_what_it_introduces() -> None:
    document = of_blocks(
        ("paragraph", numbered(24), 0),
        ("heading", "Next", 1),
        ("paragraph", numbered(20), 0),
        ("heading", "End", 1),
    )
    assert [text for _, text in shown(document)] == [numbered(24), f"Next\n{numbered(20)}", "End"]


def test_passages_overlap_in_whole_sentences() -> None:
    sentences = [f"So {numbered(4, 10 * n)} end." for n in range(20)]
    document = Document("d", " ".join(sentences))
    found = [text for _, text in shown(document, tokens=32, overlap=14)]
    assert len(found) > 2
    for earlier, later in pairwise(found):
        shared = [sentence for sentence in sentences if sentence in earlier and sentence in later]
        assert len(shared) == 2
        assert later.startswith(shared[0])


def test_tables_and_code_are_cut_between_lines_and_do_not_overlap() -> None:
    rows = [f"| {numbered(8, 10 * n)} |" for n in range(12)]
    for kind in ("table", "code"):
        found = [text for _, text in shown(of_blocks((kind, "\n".join(rows), 0)), overlap=16)]
        assert [row for text in found for row in text.split("\n")] == rows


def test_a_row_longer_than_a_passage_is_cut_between_cells() -> None:
    row = "|".join(f" {numbered(3, 10 * n)} " for n in range(40))
    found = [text for _, text in shown(of_blocks(("table", row, 0)))]
    assert all(text.strip("| ").count("w") % 3 == 0 for text in found)


def test_a_long_heading_path_keeps_title_and_innermost_and_is_cut() -> None:
    encoder = HashingEncoder()
    headings = tuple(f"{name} {numbered(30)}" for name in ("outer", "middle", "inner"))
    document = of_blocks(
        *(("heading", h, n) for n, h in enumerate(headings, 1)), ("paragraph", numbered(40), 0), title="T"
    )
    passages = splitter(tokens=64).split(document)
    assert contextual_text("T", passages[-1].headings, "").startswith("T › inner w0 w1")
    for passage in passages:
        context = contextual_text("T", passage.headings, "")
        assert context.endswith("…")
        assert len(encoder.token_offsets([context])[0]) <= 16


def test_a_long_title_is_cut_in_the_first_heading() -> None:
    document = Document("d", numbered(50), title=numbered(5_000))
    for passage in splitter(tokens=32).split(document):
        (cut,) = passage.headings
        assert cut.endswith("…")
        assert contextual_text(document.title, passage.headings, "x") == f"{cut}\nx"


@pytest.mark.parametrize(
    ("title", "headings", "text", "expected"),
    [
        ("T", (), "x", "T\nx"),
        ("T", ("A", "B"), "x", "T › A › B\nx"),
        ("", ("A",), "x", "A\nx"),
        ("T", ("A",), "", "T › A"),
        ("", (), "x", "x"),
        ("", (), "", ""),
        ("The  Title", ("the title", "B"), "x", "the title › B\nx"),
        ("The Title", ("The T…", "B"), "x", "The T… › B\nx"),
        ("The Title", ("…",), "x", "x"),
        ("T\nU", ("A\tB", " "), "x", "T U › A B\nx"),
    ],
)
def test_contextual_text(title: str, headings: tuple[str, ...], text: str, expected: str) -> None:
    assert contextual_text(title, headings, text) == expected


def test_pages_are_those_of_the_first_character_and_force_no_cut() -> None:
    text = numbered(60)
    document = Document("d", text, pages=(0, 40, 41, 120))
    passages = splitter().split(document)
    for passage in passages:
        assert passage.page == sum(page <= passage.start for page in document.pages)
    assert len(passages) == len(splitter().split(replace(document, pages=())))
    assert {passage.page for passage in splitter().split(replace(document, pages=()))} == {None}


@pytest.mark.parametrize(("tokens", "overlap"), [(15, 0), (0, 0), (-1, 0), (32, -1), (32, 17)])
def test_impossible_settings(tokens: int, overlap: int) -> None:
    with pytest.raises(InvalidSettings, match=r"found -?\d+"):
        SplitterSettings(tokens, overlap)


def test_an_encoder_too_small_for_any_passage() -> None:
    with pytest.raises(InvalidSettings, match="hashing"):
        Splitter(HashingEncoder(max_tokens=7))


def test_the_encoders_limit_counts_when_it_is_lower() -> None:
    passages = Splitter(HashingEncoder(max_tokens=20)).split(Document("d", numbered(100)))
    assert 12 <= max(passage.tokens for passage in passages) <= 20


def test_fingerprints_tell_settings_and_encoders_apart() -> None:
    variants = [
        Splitter(encoder, settings).fingerprint
        for encoder in (HashingEncoder(64), HashingEncoder(32), HashingEncoder(64, max_tokens=100))
        for settings in (SplitterSettings(), SplitterSettings(128), SplitterSettings(256, 0))
    ]
    assert len(set(variants)) == len(variants)
    assert (
        Splitter(HashingEncoder()).fingerprint
        == Splitter(HashingEncoder(), SplitterSettings(256, 32)).fingerprint
    )


def test_marks_outside_the_blocks_stay_with_them() -> None:
    """A reader of Markdown may give the words of a heading without its # or underline."""
    text = f"# One #\n\n{numbered(20)}\n\n## Two\n\n{numbered(20)}\n\n***\n\nThree\n=====\n\n{numbered(20)}\n"
    blocks = []
    for kind, words, level in (("heading", "One", 1), ("heading", "Two", 2), ("heading", "Three", 1)):
        start = text.index(words)
        blocks.append(Block(kind, start, start + len(words), level))  # type: ignore[arg-type]
        start = text.index("w0", start)
        blocks.append(Block("paragraph", start, start + len(numbered(20))))
    assert shown(Document("d", text, blocks=tuple(blocks))) == [
        (("One",), f"# One #\n\n{numbered(20)}"),
        (("One", "Two"), f"## Two\n\n{numbered(20)}\n\n***"),
        (("Three",), f"Three\n=====\n\n{numbered(20)}"),
    ]
