"""Which scripts a model can read, found by asking its tokenizer.

A model that was not trained on a script has its words fall apart into single letters, into bytes, or into
the token for the unknown. So for each script a few everyday words are tokenised: it is readable when
hardly a letter is unknown and a token covers more than a letter. Han is judged apart, as good models do
read it character by character: there every character must be in the vocabulary, near enough.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass

from indexer.encoder.tokens import Tokens


@dataclass(frozen=True, slots=True)
class _Script:
    ranges: tuple[tuple[int, int], ...]
    words: str
    letters_per_token: float = 1.35


# Ranges: blocks of the Unicode standard (https://www.unicode.org/Public/UNIDATA/Blocks.txt), letters only.
_SCRIPTS = {
    "Latin": _Script(
        ((0x41, 0x2AF), (0x1E00, 0x1EFF), (0x2C60, 0x2C7F), (0xA720, 0xA7FF), (0xFF21, 0xFF5A)),
        "water people house between school nothing important language history winter",
    ),
    "Greek": _Script(
        ((0x370, 0x3FF), (0x1F00, 0x1FFF)), "νερό άνθρωποι σπίτι μεταξύ σχολείο τίποτα γλώσσα ιστορία χρόνια"
    ),
    "Cyrillic": _Script(
        ((0x400, 0x52F), (0x1C80, 0x1C8F), (0x2DE0, 0x2DFF), (0xA640, 0xA69F)),
        "вода люди дом между школа ничего важный язык история зима когда после",
    ),
    "Armenian": _Script(((0x530, 0x58F),), "ջուր մարդիկ տուն միջև դպրոց ոչինչ կարևոր լեզու պատմություն"),
    "Hebrew": _Script(
        ((0x590, 0x5FF), (0xFB1D, 0xFB4F)), "מים אנשים בית בין ספר חשוב שפה היסטוריה חורף כאשר"
    ),
    "Arabic": _Script(
        ((0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF)),
        "ماء الناس بيت بين مدرسة مهم اللغة تاريخ الشتاء عندما بعد",
    ),
    "Devanagari": _Script(
        ((0x900, 0x97F), (0xA8E0, 0xA8FF)), "पानी लोग घर बीच स्कूल कुछ नहीं महत्वपूर्ण भाषा इतिहास जब"
    ),
    "Bengali": _Script(((0x980, 0x9FF),), "পানি মানুষ বাড়ি মধ্যে স্কুল কিছু গুরুত্বপূর্ণ ভাষা ইতিহাস যখন"),
    "Gurmukhi": _Script(((0xA00, 0xA7F),), "ਪਾਣੀ ਲੋਕ ਘਰ ਵਿਚਕਾਰ ਸਕੂਲ ਕੁਝ ਭਾਸ਼ਾ ਇਤਿਹਾਸ ਜਦੋਂ"),
    "Gujarati": _Script(((0xA80, 0xAFF),), "પાણી લોકો ઘર વચ્ચે શાળા કંઈ ભાષા ઇતિહાસ જ્યારે"),
    "Tamil": _Script(((0xB80, 0xBFF),), "தண்ணீர் மக்கள் வீடு இடையே பள்ளி எதுவும் மொழி வரலாறு"),
    "Telugu": _Script(((0xC00, 0xC7F),), "నీరు ప్రజలు ఇల్లు మధ్య పాఠశాల ఏమీ భాష చరిత్ర"),
    "Kannada": _Script(((0xC80, 0xCFF),), "ನೀರು ಜನರು ಮನೆ ನಡುವೆ ಶಾಲೆ ಏನೂ ಭಾಷೆ ಇತಿಹಾಸ"),
    "Malayalam": _Script(((0xD00, 0xD7F),), "വെള്ളം ജനങ്ങൾ വീട് ഇടയിൽ സ്കൂൾ ഒന്നും ഭാഷ ചരിത്രം"),
    "Sinhala": _Script(((0xD80, 0xDFF),), "ජලය මිනිසුන් නිවස අතර පාසල කිසිවක් භාෂාව ඉතිහාසය"),
    "Thai": _Script(((0xE00, 0xE7F),), "น้ำ ผู้คน บ้าน ระหว่าง โรงเรียน ไม่มีอะไร สำคัญ ภาษา ประวัติศาสตร์"),
    "Lao": _Script(((0xE80, 0xEFF),), "ນ້ຳ ຄົນ ເຮືອນ ລະຫວ່າງ ໂຮງຮຽນ ສຳຄັນ ພາສາ ປະຫວັດສາດ"),
    "Burmese": _Script(((0x1000, 0x109F),), "ရေ လူများ အိမ် ကြား ကျောင်း ဘာမှ အရေးကြီး ဘာသာ သမိုင်း"),
    "Georgian": _Script(
        ((0x10A0, 0x10FF), (0x1C90, 0x1CBF)), "წყალი ხალხი სახლი შორის სკოლა არაფერი ენა ისტორია ზამთარი"
    ),
    "Ethiopic": _Script(((0x1200, 0x139F),), "ውሃ ሰዎች ቤት መካከል ትምህርት ምንም አስፈላጊ ቋንቋ ታሪክ", 1.2),
    "Khmer": _Script(((0x1780, 0x17FF),), "ទឹក មនុស្ស ផ្ទះ រវាង សាលា គ្មាន សំខាន់ ភាសា ប្រវត្តិសាស្ត្រ"),
    "Kana": _Script(
        ((0x3040, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9D)),
        "ありがとう について されている ことができる システム ところが データ インターネット",
    ),
    "Hangul": _Script(
        ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF)),
        "사람 학교 언어 역사 그리고 대한민국 있습니다 사용하는 우리는 때문에",
        1.2,
    ),
    "Han": _Script(
        ((0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)),
        "请问怎么样才能够解决这个问题他们认为经济发展需要更多时间银行账户密码忘记了应该如何处理电脑手机"
        "网络连接错误医院检查结果显示病人必须继续服药学生参加考试前准备材料环境保护法律规定企业责任",
        0.65,
    ),
}
_HAN_UNKNOWN, _UNKNOWN = 0.04, 0.2
_STARTS, _NAMES = (
    list(column)
    for column in zip(
        *sorted(
            edge
            for name, script in _SCRIPTS.items()
            for start, end in script.ranges
            for edge in ((start, name), (end + 1, ""))
        ),
        strict=True,
    )
)


def script_of(character: str) -> str:
    """Return the script of a letter, or the empty string for one of a script not listed here."""
    place = bisect_right(_STARTS, ord(character))
    return _NAMES[place - 1] if place else ""


class Scripts:
    """The scripts that one tokenizer's model knows. Each is probed when it is first met.

    Args:
        tokens: The model's tokenizer.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._known: dict[str, bool] = {"": False}

    def readable(self, text: str) -> float:
        """Return the share, 0 to 1, of the letters of `text` that are of scripts the model knows.

        Letters of scripts not listed here count as unknown. A text without letters is readable: 1.0.
        """
        if text.isascii():
            return 1.0 if self.knows("Latin") or not any(map(str.isalpha, text)) else 0.0
        scripts: Counter[str] = Counter()
        for character, count in Counter(text).items():
            if character.isalpha():
                scripts[script_of(character)] += count
        letters = scripts.total()
        return sum(n for script, n in scripts.items() if self.knows(script)) / letters if letters else 1.0

    def knows(self, script: str) -> bool:
        """Tell whether the model knows a script, by its name in this module."""
        if script not in self._known:
            self._known[script] = self._probe(_SCRIPTS[script])
        return self._known[script]

    def _probe(self, script: _Script) -> bool:
        letters = sum(not character.isspace() for character in script.words)
        tokens, unknown = self._tokens.unknown_letters(script.words)
        allowed = _HAN_UNKNOWN if script.letters_per_token < 1 else _UNKNOWN
        return unknown <= allowed * letters and letters >= script.letters_per_token * tokens
