import sys
from subprocess import run

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.encoder import HashingEncoder
from indexer.encoding import Encoder
from indexer.errors import InvalidSettings


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(), max_size=5))
def test_any_texts_give_finite_unit_vectors_in_order(texts: list[str]) -> None:
    encoder = HashingEncoder(dim=16)
    vectors = encoder.encode_passages(texts)
    assert vectors.shape == (len(texts), 16)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)
    for text, vector in zip(texts, vectors, strict=True):
        assert np.array_equal(encoder.encode_query(text), vector)


@settings(deadline=None, max_examples=60)
@given(st.text())
def test_token_offsets_are_the_words(text: str) -> None:
    (spans,) = HashingEncoder().token_offsets([text])
    assert spans.dtype == np.int32
    assert [text[a:b] for a, b in spans] == text.split()


def test_shared_words_bring_texts_closer() -> None:
    encoder = HashingEncoder(dim=256)
    query = encoder.encode_query("cold rivers freeze")
    near, far = encoder.encode_passages(["in winter cold rivers freeze", "bread and butter pudding"])
    assert query @ near > 0.5 > query @ far


def test_it_satisfies_the_protocol_and_refuses_nonsense() -> None:
    assert isinstance(HashingEncoder(), Encoder)
    with pytest.raises(InvalidSettings):
        HashingEncoder(dim=1)


def test_lone_surrogates_are_words_too() -> None:
    assert np.isfinite(HashingEncoder().encode_query("a \ud800 b")).all()


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'onnxruntime', 'onnx', 'tokenizers', 'transformers', 'numpy'}"
    code = f"import sys, indexer.encoder; print(sorted({heavy} & set(sys.modules)))"
    assert (
        run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
