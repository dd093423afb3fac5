"""Judgements and topics through files, in every format; what is malformed is named."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.collection import Topic
from eval.errors import FormatError, InvalidEvaluation
from eval.formats import read_qrels, read_subtopics, read_topics, write_qrels, write_topics
from eval.formats.contents import contents_of

QUICK = settings(deadline=None, max_examples=40)
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Z", "Cc", "Cs")), min_size=1, max_size=5
).filter(lambda name: not name.startswith(("#", "\ufeff")) and not any(map(str.isspace, name)))
QRELS = st.dictionaries(NAMES, st.dictionaries(NAMES, st.integers(-2, 4), min_size=1, max_size=5), min_size=1)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=30)


@pytest.mark.parametrize("name", ["q.qrels", "q.txt.gz", "q.tsv", "q.csv", "q.jsonl.gz", "q.parquet"])
@QUICK
@given(qrels=QRELS)
def test_judgements_come_back(name: str, qrels: dict[str, dict[str, int]]) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_qrels(qrels, path)
        assert read_qrels(path) == qrels
        assert contents_of(path) == "qrels"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.txt", "q 0 a 2\nq 0 b 0\n"),
        ("q.txt", "\ufeffq\t0\ta\t2\r\nq 0  b 0\r\n\r\n"),
        ("qrels.robust04", "# NIST\nq Q0 a 2\nq Q0 b 0"),
        ("q.tsv", "query-id\tcorpus-id\tscore\nq\ta\t2\nq\tb\t0\n"),
        ("q.tsv", "q\ta\t2\nq\tb\t0\n"),
        ("q.tsv", "q\t0\ta\t2\nq\t0\tb\t0\n"),
        ("q.csv", "relevance,docno,topic\n2.0,a,q\n0,b,q\n"),
        ("q.jsonl", '{"query_id": "q", "doc_id": "a", "grade": 2}\n{"qid": "q", "docid": "b", "rel": 0.0}\n'),
        ("q.txt", "q 0 a 2\nq 0 b 0\nq 0 a 2\n"),
    ],
)
def test_foreign_judgements_are_read(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_bytes(content.encode())
    assert read_qrels(tmp_path / name) == {"q": {"a": 2, "b": 0}}


def test_a_document_of_several_subtopics_has_its_highest_grade(tmp_path: Path) -> None:
    path = tmp_path / "diversity.qrels"
    path.write_text("1 1 a 0\n1 2 a 2\n1 3 a 1\n1 2 b -2\n")
    assert read_qrels(path) == {"1": {"a": 2, "b": -2}}
    assert read_subtopics(path) == {"1": {"1": {"a": 0}, "2": {"a": 2, "b": -2}, "3": {"a": 1}}}


@pytest.mark.parametrize(
    ("name", "content", "line", "says"),
    [
        ("q.txt", "q 0 a\n", 1, "has 3 columns, expected 4"),
        ("q.txt", "q 0 a one\n", 1, "the grade is 'one'"),
        ("q.txt", "q 0 a 0.5\n", 1, "expected a whole number"),
        ("q.txt", "q 0 a 1\nq 0 a 2\n", 2, "has the grade 2 here and 1 before"),
        ("q.txt", "q 1 a 1\nq 2 a 0\nq 1 a 2\n", 3, "has the grade 2 here and 1 before"),
        ("q.tsv", "query\tdocument\trelevance\nq\ta\t1\n", 1, "the grade is 'relevance'"),
        ("q.tsv", "q\ta\n", 1, "neither a header nor a judgement"),
        ("q.csv", "qid,docid,grade\nq,,1\n", 2, "without doc_id"),
        ("q.jsonl", '{"query_id": "q", "doc_id": "a"}\n', 1, "the grade is None"),
        ("q.jsonl", '{"query_id": "q", "doc_id": ["a"], "grade": 1}\n', 1, "expected a string"),
        ("q.jsonl", '{"query_id": "q", "doc_id": "a", "grade": 1e999}\n', 1, "expected a whole number"),
    ],
)
def test_a_bad_judgement_is_named(tmp_path: Path, name: str, content: str, line: int, says: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(FormatError) as caught:
        read_qrels(tmp_path / name)
    assert caught.value.line == line
    assert says in str(caught.value)


def test_contradicting_grades_of_one_subtopic_are_refused(tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text("q 1 a 1\nq 1 a 0\n")
    with pytest.raises(FormatError, match="grade 0 here and 1 before"):
        read_subtopics(tmp_path / "q.txt")


@pytest.mark.parametrize("name", ["t.jsonl.gz", "t.csv", "t.parquet"])
@QUICK
@given(
    topics=st.lists(
        st.builds(
            Topic,
            NAMES,
            TEXTS.filter(lambda text: "\0" not in text),
            st.none() | NAMES,
            st.none() | st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=9)))),
            st.dictionaries(st.sampled_from(["body", "tags", "réponse"]), TEXTS.filter(bool), max_size=3),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda topic: topic.query_id,
    )
)
def test_topics_come_back(name: str, topics: list[Topic]) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    by_id = {topic.query_id: topic for topic in topics}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_topics(by_id, path)
        assert read_topics(path) == by_id
        assert contents_of(path) == "topics"


CLASSIC = """<top>
<num> Number: 301
<title> International Organized Crime

<desc> Description:
Identify organizations that participate in international criminal
activity, Number: one.

<narr> Narrative:
A relevant document must as a minimum identify the organization.
</top>

<top>
<num> Number: 302 </num>
<title> Topic: Poliomyelitis and Post-Polio </title>
</top>
<top>
<num> 303
<desc> Description: Hubble Telescope Achievements
</top>
"""


def test_the_classic_form_of_trec_topics_is_read(tmp_path: Path) -> None:
    path = tmp_path / "topics.301-450"
    path.write_text(CLASSIC)
    assert contents_of(path) == "topics"
    topics = read_topics(path)
    assert {query: topic.text for query, topic in topics.items()} == {
        "301": "International Organized Crime",
        "302": "Poliomyelitis and Post-Polio",
        "303": "Hubble Telescope Achievements",
    }
    assert topics["301"].metadata == {
        "desc": "Identify organizations that participate in international criminal activity, Number: one.",
        "narr": "A relevant document must as a minimum identify the organization.",
    }


def test_the_xml_form_of_trec_topics_is_read(tmp_path: Path) -> None:
    path = tmp_path / "wt.xml"
    path.write_text(
        '<?xml version="1.0"?>\n<webtrack2012>\n<topic number="151" type="ambiguous">\n<query>403b &amp; more</query>\n'
        "<description>What is a 403b plan?</description>\n<subtopic number='1'>One</subtopic>\n"
        "<subtopic number='2'>Two</subtopic>\n</topic>\n</webtrack2012>\n"
    )
    topic = read_topics(path)["151"]
    assert topic.text == "403b & more"
    assert topic.metadata == {
        "description": "What is a 403b plan?",
        "subtopic": "One; Two",
        "type": "ambiguous",
    }


def test_topics_written_in_trecs_form_come_back(tmp_path: Path) -> None:
    topics = {
        "1": Topic("1", "organised crime: number 1", metadata={"desc": "It says so.", "narr": "At length."}),
        "2": Topic("2", "灯塔 < 3 & more"),
    }
    write_topics(topics, tmp_path / "t.topics")
    assert read_topics(tmp_path / "t.topics") == topics
    with pytest.raises(InvalidEvaluation, match="holds a tag"):
        write_topics({"1": Topic("1", "the <title> tag")}, tmp_path / "u.txt")
    assert not (tmp_path / "u.txt").exists()


@pytest.mark.parametrize(
    ("name", "content", "line", "says"),
    [
        ("t.txt", "<top>\n<num> 1\n<title> a\n<top>\n", 4, "a <top> inside the one of line 1"),
        ("t.txt", "<top>\n<num> 1\n<title> a\n", 1, "that no </top> ends"),
        ("t.txt", "<top>\n<title> a\n</top>\n", 1, "without a number"),
        ("t.txt", "<top>\n<num> 1\n</top>\n", 1, "without a title"),
        ("t.txt", "<top>\n<num> 1\n<title> a\n</top>\nstray\n", 5, "outside of <top>"),
        ("t.txt", "<top>\n<num> 1\n<title> a\n</top>\n<top>\n<num> 1\n<title> b\n</top>\n", 5, "comes twice"),
        ("t.txt", "<?xml version='1.0'?>\n<topics><topic></topics>", 2, "not sound XML"),
        ("t.txt", "only words\n", 1, "expected <top> elements, or an id, a tab and a text"),
        ("t.jsonl", '{"_id": "1", "text": "a"}\n{"_id": 1, "text": "b"}\n', 2, "comes twice"),
        ("t.jsonl", '{"_id": "1", "text": null}\n', 1, "whose text is None"),
        ("t.jsonl", '{"text": "a"}\n', 1, "without query_id"),
        ("t.jsonl", '{"_id": "1", "text": "a", "ts": "yesterday"}\n', 1, "the time is 'yesterday'"),
        ("t.jsonl", '{"_id": "1", "text": "a", "ts": 1e30}\n', 1, "the time is 1e+30"),
    ],
)
def test_a_bad_topic_is_named(tmp_path: Path, name: str, content: str, line: int, says: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(FormatError) as caught:
        read_topics(tmp_path / name)
    assert caught.value.line == line
    assert says in str(caught.value)


def test_an_entity_bomb_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.xml").write_text(
        '<?xml version="1.0"?>\n<!DOCTYPE t [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>\n<topics><topic number="1">'
        "<query>&b;</query></topic></topics>"
    )
    with pytest.raises(FormatError, match="not sound XML"):
        read_topics(tmp_path / "t.xml")


def test_users_and_times_of_topics_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(
        '{"_id": "1", "text": "a", "user": "u7", "ts": "2018-03-12T17:00:45.567", "tags": ["x", "y z"], "n": 3}\n'
        '{"_id": "2", "text": "b", "user": 8, "ts": 1520874045}\n'
        '{"_id": "3", "text": "c", "ts": "2018-03-12T18:00+02:00"}\n'
    )
    one, two, three = read_topics(path).values()
    assert one.user_id == "u7"
    assert one.at == datetime(2018, 3, 12, 17, 0, 45, 567000, tzinfo=UTC)
    assert one.metadata == {"tags": "x, y z", "n": "3"}
    assert (two.user_id, two.at) == ("8", datetime(2018, 3, 12, 17, 0, 45, tzinfo=UTC))
    assert three.user_id is None
    assert three.at == datetime(2018, 3, 12, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "content", "contents"),
    [
        ("x.txt", "1\twhat is it\n", "topics"),
        ("x.tsv", "1\twhat is it\n", "topics"),
        ("x.run", "q Q0 d 1 2 t\n", "run"),
        ("x.csv", "query_id,doc_id,rank\nq,d,1\n", "run"),
        ("x.jsonl", '{"query_id": "q", "hits": []}\n', "run"),
        ("x.jsonl", '{"query": "q", "doc": "d", "label": 1}\n', "qrels"),
        ("x.tsv", "query-id\tcorpus-id\tscore\nq\td\t1\n", "qrels"),
    ],
)
def test_what_a_file_holds_is_told(tmp_path: Path, name: str, content: str, contents: str) -> None:
    (tmp_path / name).write_text(content)
    assert contents_of(tmp_path / name) == contents


@pytest.mark.parametrize("content", ["query_id,doc_id,score\nq,d,1\n", "", "just,some,thing,else,here\n"])
def test_what_cannot_be_told_is_asked(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(FormatError, match="--as"):
        contents_of(tmp_path / "x.csv")
