"""What a passage looks like to a reranker, the fake for other packages' tests, and the package's public names."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reranker
from reranker import Judgement, MissingDependency, OverlapScorer, PairScorer, PassageText, RerankerError


@pytest.mark.parametrize(
    ("title", "headings", "context"),
    [
        ("", (), ""),
        ("Flight", (), "Flight"),
        ("Flight", ("Wings", "Lift"), "Flight › Wings › Lift"),
        ("Flight", ("FLIGHT", "Lift"), "Flight › Lift"),
        ("Flight", ("Fli…", "Lift"), "Flight › Lift"),
        ("", ("Wings", "", "  ", "Wings", "Lift"), "Wings › Lift"),
        ("  Two\n lines ", ("\t",), "Two lines"),
        ("Flight", ("…",), "Flight › …"),
    ],
)
def test_the_context_leaves_out_what_is_empty_or_repeated(
    title: str, headings: tuple[str, ...], context: str
) -> None:
    passage = PassageText("Air moves.", title, headings)
    assert passage.context == context
    assert passage.full == (f"{context}\nAir moves." if context else "Air moves.")
    assert PassageText("", title, headings).full == context


def test_a_context_is_one_line_and_bounded() -> None:
    passage = PassageText("x", "word " * 100_000, ("a\nb\rc",))
    assert "\n" not in passage.context
    assert len(passage.context) < 2_010


WORDS = st.lists(st.sampled_from("the cat sat on a mat".split()), max_size=6).map(" ".join)


@given(WORDS, st.lists(WORDS, max_size=6))
def test_overlap_is_the_share_of_the_query_s_words(query: str, passages: list[str]) -> None:
    scores = OverlapScorer().score(query, passages)
    wanted = set(query.split())
    expected = [len(wanted & set(passage.split())) / max(1, len(wanted)) for passage in passages]
    assert scores.dtype == np.float32
    assert scores.tolist() == pytest.approx(expected)


def test_overlap_reads_titles_and_keeps_deadlines_by_its_own_clock() -> None:
    scorer = OverlapScorer(seconds_each=0.5, clock=lambda: 10.0)
    assert isinstance(scorer, PairScorer)
    passages = ["cat", PassageText("nothing", "The Cat"), "dog", "cat"]
    judgement = scorer.judge("cat", passages, deadline=11.2)
    assert judgement.scored.tolist() == [True, True, False, False]
    assert judgement.scores[:2].tolist() == [1.0, 1.0]
    assert np.isnan(judgement.scores[2:]).all()
    assert judgement.tokens_cut.tolist() == [0] * 4
    assert scorer.judge("cat", passages).scored.all()
    assert not scorer.judge("cat", passages, deadline=9.0).scored.any()
    assert not OverlapScorer(clock=lambda: 10.0).judge("cat", passages, deadline=10.0).scored.any()
    assert OverlapScorer(clock=lambda: 10.0).judge("cat", passages, deadline=10.1).scored.all()
    assert scorer.judge("cat", []).scores.shape == (0,)


def test_the_public_names_are_these() -> None:
    assert reranker.__all__ == sorted(reranker.__all__)
    assert set(reranker.__all__) == set(
        (
            "DEFAULT_RERANKER InvalidRerankerSettings InvalidTrainingSettings Judgement MissingDependency "
            "OverlapScorer PairScorer PassageText RerankerError RerankerModelError Scores TrainingDataError "
            "TrainingInterrupted load_reranker"
        ).split()
    )
    assert set(reranker._HOME) == set(reranker.__all__)


def test_errors_are_of_one_tree_and_name_what_to_install() -> None:
    errors = [getattr(reranker, name) for name in reranker.__all__]
    errors = [error for error in errors if isinstance(error, type) and issubclass(error, Exception)]
    assert len(errors) == 7
    assert all(issubclass(error, RerankerError) for error in errors)
    error = MissingDependency("running on a GPU", ["torch", "transformers"], "gpu")
    assert "pip install 'quire-search[gpu]'" in str(error)
    assert "torch and transformers" in str(error)


def test_a_judgement_is_a_value() -> None:
    judgement = Judgement(np.zeros(1, np.float32), np.zeros(1, np.int64), np.ones(1, np.bool_))
    with pytest.raises(AttributeError):
        judgement.scores = np.ones(1, np.float32)  # type: ignore[misc]
    assert not hasattr(judgement, "__dict__")
    assert sys.getsizeof(judgement) < 100
