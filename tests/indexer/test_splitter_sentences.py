"""Sentences of many languages, and the structure of plain text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.sentences import sentence_spans
from indexer.structure import plain_blocks


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text, 0, len(text))]


@pytest.mark.parametrize(
    "marked",  # a bar where a sentence ends
    [
        "It is so.| It is not!| Is it?| Yes.",
        "He met Mr. Smith.| They sat down.",
        "In Smith v. Jones the court agreed.| It said so.",
        "See Fig. 3 and No. 5, e.g. the Second one.| Good.",
        "It cost 3.14 dollars in 1999.| Then 4.",
        "J. R. R. Tolkien wrote it.| J.R.R. Tolkien did.",
        "The U.S. Supreme Court ruled.| Costs follow.",
        "“It is over.”| She left.",
        "“What?” he said.| “Nothing!” she said.",
        "(It ended.)| Then it began.",
        "Wait... what?| Nothing...| Next.",
        "it was long ago.| then it was not.",
        "The approval (sim. to that) held.| Next.",
        "About five min. of walking.| Here.",
        "1. First point.| Second sentence.",
        "1. first point",
        "He said so .| So did I .",
        "one line.\n\n|another para",
        "他来了。|她走了！|是吗？|是；|好……|完",
        "他说：“走吧。”|她走了。",
        "「行こう。」|彼は言った。|はい",
        "वह आया।| वह गया।",
        "هل جاء؟| نعم.",
        "ฉันไปตลาด |เธออยู่บ้าน",
        "ខ្ញុំទៅ។| គាត់មក។",
        "No end",
        "",
    ],
)
def test_sentences_end_where_marked(marked: str) -> None:
    expected = [part.strip() for part in marked.split("|") if part.strip()]
    assert sentences(marked.replace("|", "")) == expected


@settings(deadline=None, max_examples=300)
@given(
    st.text(st.one_of(st.sampled_from(list(".!?…。”’) \n\tAbc1แ")), st.characters()), max_size=80), st.data()
)
def test_sentences_hold_every_character_in_order(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    at = start
    for first, last in sentence_spans(text, start, end):
        assert at <= first < last <= end
        assert not text[at:first].strip()
        assert text[first:last] == text[first:last].strip()
        at = last
    assert not text[at:end].strip()


LONG = "This paragraph is long enough to be nothing but text, and it has a sentence or two. " * 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One.\n\nTwo.", ["paragraph", "paragraph"]),
        (
            "wrapped by hand at a width of sixty characters or so, as in\nletters and licences of old, one paragraph",
            ["paragraph"],
        ),
        (f"{LONG}\n{LONG}", ["paragraph", "paragraph"]),
        ("Anna: hello .\nBob: hm .\nAnna: so what do we do ?", ["paragraph"] * 3),
        ("Title\n=====\n\nText.", ["heading 1", "paragraph"]),
        ("Title\n-----\n\nText.", ["heading 2", "paragraph"]),
        ("## Two\n\nText.", ["heading 2", "paragraph"]),
        ("CHAPTER IV\n\nText.", ["heading 2", "paragraph"]),
        ("Chapter 4 is long.\n\nText.", ["paragraph", "paragraph"]),
        ("第三章 出发\n\n他走了。", ["heading 2", "paragraph"]),
        ("FACTS AND PROCEDURE\n\nText of it.", ["heading 3", "paragraph"]),
        ("ALL OF IT IN CAPITALS\n\nEVEN THE TEXT", ["paragraph", "paragraph"]),
        ("2.1 Data\n\nText.", ["heading 4", "paragraph"]),
        (f"3. Methods\n\n{LONG}", ["heading 3", "paragraph"]),
        ("3. Milk\n\n4. Eggs", ["list", "list"]),
        ("Buy:\n- milk\n  of cows\n- eggs", ["paragraph", "list", "list"]),
        ("Do:\n\n    code()\n    more()\n\nDone.", ["paragraph", "code", "paragraph"]),
        ("A figure's caption\n\n" + LONG, ["paragraph", "paragraph"]),
        ("Title\n=====\nText.", ["heading 1", "paragraph"]),
        ("Title\r\n=====\r\n\r\nText.\r\rMore.", ["heading 1", "paragraph", "paragraph"]),
        (
            "Book Two\n\nChapter Twelve: Dawn\n\nSection 4\n\nText.",
            ["heading 1", "heading 2", "heading 3", "paragraph"],
        ),
        ("CHAPTER I.\n\nText.", ["heading 2", "paragraph"]),
        ("Section 2 -- Scope.\n\nText.", ["heading 3", "paragraph"]),
        (f"    {LONG}\n     a) {LONG}\n     b) {LONG}", ["paragraph", "list", "list"]),
        ("Text.\n\n     3. Term. As above.\n\n     b. more", ["paragraph", "list", "list"]),
        ("CHAPTER XLIV\n\nPart civil, part criminal", ["heading 2", "paragraph"]),
        ("CHAPTER I. THE SEA.\n\nText.", ["heading 2", "paragraph"]),
        ("Section 3. The court may order it.\n\nText.", ["paragraph", "paragraph"]),
        ("第二卷\n\n第三回 出发\n\n第一节\n\n他走了。", ["heading 1", "heading 2", "heading 3", "paragraph"]),
        ("第三章 他走了。\n\n她也走了。", ["paragraph", "paragraph"]),
        ("　　他回来了。\n　　天黑了，\n人都走了。", ["paragraph", "paragraph"]),
        (
            "    The listed files are read in the order given, and\n    what is missing is said to be so.\n\nEnd.",
            ["paragraph", "paragraph"],
        ),
        ("    if (ready) {\n        start the engine and let it run;\n    }", ["code"]),
        ("    north      south     east     west\n    one        two       three    four", ["code"]),
        (
            "One address: http://example.org/"
            + "long/" * 15
            + "\ndoes not make each of the lines of a paragraph\n"
            "wrapped by hand a paragraph of its own, for the\nothers are as short as lines are.",
            ["paragraph"],
        ),
        ("one\ftwo", ["paragraph", "paragraph"]),
        (
            "NAME\n       foo - what it does with the files, said in one line\n\nFILES\n       a=b",
            ["heading 3", "paragraph", "heading 3", "code"],
        ),
        (
            "BESCHREIBUNG\n\tWie es geht, und was es dabei\n\tan Dateien und Rechten braucht.",
            ["heading 3", "paragraph"],
        ),
        ("NOTE\n   one\ntwo at the margin", ["paragraph"]),
        ("   NOTE\n   one", ["paragraph"]),
        ("- ITEM\n  goes on", ["list"]),
        ("NAME\tUNIT\n  one\ttwo", ["paragraph"]),
        ("Said softly\n   one", ["paragraph"]),
        ("LOGIN(1)           Commands           LOGIN(1)", ["paragraph"]),
        ("2.11\t\t 2023-01-08\t\tAPROPOS(1)", ["paragraph"]),
        ("Name     Unit     Use\n---------------------\nm     metre     length", ["paragraph"]),
        ("Section 2) in object code, under the terms of Sections 1 and\n\nText.", ["paragraph", "paragraph"]),
        ("# ******\n\nText.", ["paragraph", "paragraph"]),
        ("Chapter\u00a03.\u00a0Common Types\n\nText.", ["heading 2", "paragraph"]),
        ("ANNA: Hello .\nBOB: YES\nANNA: So what do we do ?", ["paragraph"] * 3),
        ("爬爬垫材质PVC地垫\n\n材质", ["paragraph", "paragraph"]),
        ("PDF文件\n\nTHE PDF 文件\n\nText.", ["paragraph", "heading 3", "paragraph"]),
        ("VII     THE SEA\n\nText.", ["heading 3", "paragraph"]),
        (" \n\n ", []),
        ("", []),
    ],
)
def test_structure_of_plain_text(text: str, expected: list[str]) -> None:
    blocks = list(plain_blocks(text))
    assert [f"{b.kind} {b.level}" if b.kind == "heading" else b.kind for b in blocks] == expected


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            [
                "\n",
                "\n\n",
                "\f",
                "    ",
                "- ",
                "# ",
                "===",
                "A: ",
                "word ",
                LONG,
                "1. ",
                "CAPITALS",
                "中",
                "\u3000",
                "\r\n",
                "\r",
            ]
        )
    ).map("".join)
)
def test_blocks_are_ordered_and_hold_every_character(text: str) -> None:
    at = 0
    for block in plain_blocks(text):
        assert at <= block.start < block.end <= len(text)
        assert not _but_for_rules(text[at : block.start])
        assert text[block.start : block.end].strip()
        assert block.kind == "code" or text[block.start : block.end].strip() == text[block.start : block.end]
        at = block.end
    assert not _but_for_rules(text[at:])


def test_a_line_that_is_nearly_a_title_is_found_out_soon() -> None:
    """Words of any cut would be tried for ten of them, which takes years."""
    assert [block.kind for block in plain_blocks(f"Section 1 -- {'a' * 76}!\n\nText.")] == [
        "paragraph",
        "paragraph",
    ]


def _but_for_rules(between: str) -> str:
    """What stands between two blocks, without the line under a heading."""
    first, _, rest = between.strip().partition("\n")
    return rest.strip() if len(first.strip()) >= 3 and not first.strip().strip(first[0]) else first
