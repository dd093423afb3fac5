"""What holds of the analyser for any text."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.analyser import Analyser
from indexer.scripts import ascii_pattern, run_pattern

ANALYSER = Analyser()
SNIPPETS = [
    *"os.path don't O’Brien l'été C++ F# 1,000 3.14 U.S. e.g. a_b __x__ the Running １２３ Ａ İ ß ς".split(),
    *"中国科学院 科 的 データ ｶﾞｷﾞ 한국어를 한 ภาษาไทย นำ ខ្មែរ книга שָׁלוֹם كِتَاب कहानी ﬁn ㍿ ㎏ ½ x² ﷺ é ŉ ʼ".split(),
    *["e\u0301", "\u1112\u1161\u11ab", "\u200d", "\u00ad", "\u200b", "\ufe0f", "😀", "\x00", "\ud800"],
    *["'", ".", ",", "+", "#", "_", "-", " ", "\n", "\r\n"],
]
texts = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(SNIPPETS), max_size=12).map("".join),
    st.lists(st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=3)), max_size=12).map(" ".join),
)
many = settings(deadline=None, max_examples=300)


@many
@given(texts)
def test_terms_are_the_tokens_terms(text: str) -> None:
    tokens = ANALYSER.tokens(text)
    assert ANALYSER.terms(text) == [token.term for token in tokens]
    for token in tokens:
        assert 0 <= token.start < token.end <= len(text)


@many
@given(texts)
def test_finding_terms_is_picking_them_from_all_tokens(text: str) -> None:
    analyser = Analyser()
    tokens = analyser.tokens(text)
    wanted = {token.term for token in tokens[::3]}
    expected = [token for token in tokens if token.term in wanted]
    assert sorted(map(repr, analyser.find(text, wanted))) == sorted(map(repr, expected))
    starts = [token.start for token in analyser.find(text, wanted)]
    assert starts == sorted(starts)
    assert analyser.find(text, set()) == []


@many
@given(texts)
def test_terms_can_be_indexed(text: str) -> None:
    for term in ANALYSER.terms(text):
        assert term
        assert not re.search(r"\s", term)
        assert len(term.encode()) <= 255


@many
@given(texts)
def test_a_tokens_source_gives_its_term_again(text: str) -> None:
    for token in ANALYSER.tokens(text):
        assert token.term in ANALYSER.terms(text[token.start : token.end])


# Not among them: exponents and fractions, which are no part of the number before them, and the wide underscore.
widths = st.text(
    st.characters(
        min_codepoint=32,
        max_codepoint=0xFF5E,
        exclude_characters="¹²³¼½¾＿",
        categories=["L", "N", "P", "S", "Zs"],
    ).filter(lambda char: char < "\u0100" or "\u0386" <= char < "\u0460" or char > "\uff00"),
    max_size=40,
)


@many
@given(widths)
@example("Ｏｓ．Ｐａｔｈ，　Ｃ＋＋　Ｆ＃　１，０００　ＤＯＮ＇Ｔ　ΣΊΣΥΦΟΣ　STRASSE Straße")
def test_folding_case_and_width_changes_nothing(text: str) -> None:
    """A query typed in lower case and plain width has the terms of the document."""
    assert ANALYSER.terms(unicodedata.normalize("NFKC", text).casefold()) == ANALYSER.terms(text)


@many
@given(texts, st.data())
def test_a_quotation_is_found_as_a_phrase(text: str, data: st.DataObject) -> None:
    tokens = ANALYSER.tokens(text)
    if not tokens:
        return
    start = data.draw(st.sampled_from([token.start for token in tokens]))
    end = data.draw(st.sampled_from([token.end for token in tokens if token.end > start]))
    terms = ANALYSER.terms(text)
    for phrase in ANALYSER.phrases(text[start:end]):
        places = range(len(terms) - len(phrase) + 1)
        assert any(tuple(terms[at : at + len(phrase)]) == phrase for at in places), (phrase, terms)


@many
@given(texts)
def test_queries_ask_for_indexed_terms_only(text: str) -> None:
    terms = ANALYSER.terms(text)
    asked = ANALYSER.query_terms(text)
    assert set(asked) <= set(terms)
    assert bool(asked) == bool(terms)
    if any(not ANALYSER.is_stopword(term) for term in asked):
        assert not any(ANALYSER.is_stopword(term) for term in asked)


@many
@given(texts)
def test_spelling_words_are_of_letters_and_indexed(text: str) -> None:
    terms = set(ANALYSER.terms(text))
    for word, term in ANALYSER.words(text):
        assert not re.search(r"[\s\d_.']", word)
        assert term in terms


@many
@given(texts)
def test_runs_are_ordered_and_hold_every_letter(text: str) -> None:
    at = 0
    outside = []
    for run in run_pattern().finditer(text):
        start, end = run.span()
        assert at <= start < end
        outside.append(text[at:start])
        at = end
    outside.append(text[at:])
    letters = [char for char in "".join(outside) if char.isalpha() and unicodedata.category(char) != "Lm"]
    assert not letters


@many
@given(st.text(st.characters(max_codepoint=127), max_size=80))
def test_ascii_text_is_cut_alike_by_both_patterns(text: str) -> None:
    assert ascii_pattern().findall(text) == run_pattern().findall(text)
