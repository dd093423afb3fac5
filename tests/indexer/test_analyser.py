"""What a reader of manuals, judgments and code would search for, found."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
import Stemmer

from indexer.analyser import Analyser, Token
from indexer.errors import InvalidSettings

ENGLISH = Analyser()


def finds(query: str, text: str) -> bool:
    return set(ENGLISH.query_terms(query)) <= set(ENGLISH.terms(text))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("running dogs", "A dog RUNS."),
        ("cafe resume", "the café’s résumé"),
        ("CAFÉ", "cafe"),
        ("don't", "We don’t know"),
        ("ABC 123", "ＡＢＣ　１２３"),
        ("fine office", "the ﬁne oﬃce"),
        ("os.path.join", "see os.path.join() there"),
        ("path", "see os.path.join() there"),
        ("os.path", "import os.path as p"),
        ("snake_case", "a snake_case name"),
        ("snake", "a snake_case name"),
        ("init", "def __init__(self)"),
        ("__init__", "def __init__(self)"),
        ("C++", "written in C++, mostly"),
        ("c#", "C# and F#"),
        ("3.11.4", "Python 3.11.4 was"),
        ("1000000", "it cost $1,000,000."),
        ("USA", "the U.S.A. won"),
        ("U.S.", "the US won"),
        ("obrien", "Mr. O'Brien said"),
        ("brien", "Mr. O’Brien said"),
        ("5 kg", "weighs 5㎏"),
        ("energy", "energy² and more"),
        ("soft hyphen", "so\u00adft hy\u00adphens"),
        ("straße", "STRASSE"),
        ("123", "١٢٣"),
        ("科", "中国科学院"),
        ("科学院", "他在中国科学院工作"),
        ("国科", "中\n国\n科学"),
        ("ガギ", "ｶﾞｷﾞ"),
        ("コンピューター", "新しいコンピューターを買う"),
        ("한국", "한국어를 배우다"),
        ("ภาษา", "ฉันเรียนภาษาไทย"),
        ("นํา", "นำ"),
        ("книга", "о книге"),
        ("елка", "ёлки"),
        ("Αθηνα", "στην Αθήνα"),
        ("كتاب", "كِتَابٌ"),
        ("שלום", "שָׁלוֹם"),
        ("株式会社", "㍿"),
    ],
)
def test_found(query: str, text: str) -> None:
    assert finds(query, text), (ENGLISH.query_terms(query), ENGLISH.terms(text))


@pytest.mark.parametrize(
    ("query", "text"),
    [("c++", "the letter c"), ("c", "C++"), ("word1", "word¹"), ("книга", "kniga")],
)
def test_not_found(query: str, text: str) -> None:
    assert not finds(query, text)


def test_words_agree_with_snowball() -> None:
    oracle = Stemmer.Stemmer("english")
    words = "generalizations were being operationally conditioned by national happiness relational".split()
    assert ENGLISH.terms(" ".join(words)) == [oracle.stemWord(word) for word in words]


def test_stopwords_are_indexed_and_left_out_of_queries_unless_alone() -> None:
    assert ENGLISH.terms("the meaning of life") == ["the", "mean", "of", "life"]
    assert ENGLISH.query_terms("What is the meaning of life, e.g. ours?") == ["mean", "life"]
    assert ENGLISH.query_terms("to be or not to be") == ["to", "be", "or", "not", "to", "be"]
    assert ENGLISH.is_stopword("the")
    assert not ENGLISH.is_stopword("mean")
    assert ENGLISH.query_terms("我的书")[:1] == ["书"]


def test_extras_follow_the_whole_stream() -> None:
    assert ENGLISH.terms("call os.path now") == ["call", "os", "path", "now", "os.path"]
    stream, bigrams, words = ["研", "究", "生"], ["研究", "究生"], ["研究生"]
    assert ENGLISH.terms("研究生 now") == [*stream, "now", *bigrams, *words]


def test_tokens_lead_back_to_the_source() -> None:
    text = "Die ﬁne Ｃａｆés: ｶﾞ O'Brien"
    assert [(token.term, text[token.start : token.end]) for token in ENGLISH.tokens(text)] == [
        ("die", "Die"),
        ("fine", "ﬁne"),
        ("cafe", "Ｃａｆés"),
        ("ガ", "ｶﾞ"),
        ("o", "O"),
        ("brien", "Brien"),
        ("obrien", "O'Brien"),
    ]
    assert ENGLISH.tokens("a") == [Token("a", 0, 1)]


def test_words_for_spelling_are_of_letters_only() -> None:
    assert ENGLISH.words("The Runners' x86 don't 中国 os.path Café") == [
        ("the", "the"),
        ("runners", "runner"),
        ("os", "os"),
        ("path", "path"),
        ("café", "cafe"),
    ]


def test_long_words_are_cut_alike_everywhere() -> None:
    long = "x" * 1_000
    assert ENGLISH.terms(long) == ENGLISH.terms(long + "y") == ["x" * 255]
    assert [len(term.encode()) for term in ENGLISH.terms("é1" * 1_000)] == [255]
    assert ENGLISH.query_terms(long) == ["x" * 255]


@pytest.mark.parametrize(
    "text", ["", " ", "...", "😀👩‍👩‍👧", "\x00", "\ud800", "''__..++", "¹²³", "\u0301", "ำ"]
)
def test_nothing_to_index(text: str) -> None:
    assert ENGLISH.terms(text) in ([], ["า"])
    assert ENGLISH.query_terms(text) == ENGLISH.terms(text)
    assert ENGLISH.phrases(text) == [tuple(ENGLISH.terms(text))] * bool(ENGLISH.terms(text))


def test_a_language_decides_about_its_own_script_only() -> None:
    french, swedish, turkish, russian = map(Analyser, ("french", "swedish", "turkish", "russian"))
    assert french.query_terms("qu'est-ce que l'amour") == ["amour"]
    assert french.terms("ÉTÉ") == french.terms("été")
    assert swedish.terms("över") != swedish.terms("over")
    assert turkish.terms("ISPARTA") == turkish.terms("ısparta")
    assert russian.terms("running") == ENGLISH.terms("running")
    assert russian.query_terms("что это за синяя книга") == [
        Stemmer.Stemmer("russian").stemWord(word) for word in ("синяя", "книга")
    ]


@pytest.mark.parametrize("language", Stemmer.algorithms())
def test_every_language_of_snowball_works(language: str) -> None:
    analyser = Analyser(language)
    assert analyser.fingerprint.startswith(f"quire-analyser-1:{language}:")
    assert all(analyser.terms("Ελλάδα ñandú l'été Straße İstanbul книга कहानी நூல்"))


def test_an_unknown_language_is_refused_with_the_choices() -> None:
    with pytest.raises(InvalidSettings, match=r"'klingon'.*english.*french"):
        Analyser("klingon")


def test_fingerprints_tell_languages_and_libraries_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Analyser().fingerprint
    assert before == Analyser("english").fingerprint
    assert before != Analyser("porter").fingerprint
    monkeypatch.setattr("indexer.analyser.version", lambda name: "999")
    assert Analyser().fingerprint != before
    monkeypatch.undo()
    monkeypatch.setattr(Stemmer, "version", lambda: "999")
    assert Analyser().fingerprint != before


def test_english_text_loads_no_chinese_dictionary() -> None:
    code = (
        "import sys; from indexer.analyser import Analyser; a = Analyser();"
        "a.terms('Plain English, café’s'); a.fingerprint;"
        "assert 'rjieba' not in sys.modules and 'numpy' not in sys.modules; a.terms('中国科学院');"
        "assert 'rjieba' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_threads_share_an_analyser() -> None:
    analyser = Analyser()
    words = [
        f"{stem}{ending}" for stem in ("walk", "jump", "paint", "relat") for ending in ("ing", "ed", "s")
    ] * 50
    texts = [" ".join(f"{word}{'abcdefgh'[k]}ings" for word in words) for k in range(8)]
    expected = [Analyser().terms(text) for text in texts]
    found: dict[int, list[str]] = {}

    def work(number: int) -> None:
        found[number] = analyser.terms(texts[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(8)] == expected


def test_a_full_cache_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.analyser._CACHED_RUNS", 3)
    analyser = Analyser()
    text = "one two three four five one two"
    assert analyser.terms(text) == ENGLISH.terms(text)
    assert len(analyser._runs) <= 3
