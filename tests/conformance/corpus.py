"""The documents that every backend is asked about: plain ones, and of every kind that has been trouble anywhere."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

from indexer.document import Block, Document
from indexer.encoder.hashing import HashingEncoder
from indexer.splitter import SplitterSettings

WORDS = (
    "turbine blade cooling boundary layer shock wave supersonic wing drag lift pressure engine nozzle heat "
    "transfer laminar turbulent flow plate cylinder cone jet vortex rotor stall flutter panel buckling shell"
).split()
CHINESE = "涡轮叶片 冷却 边界层 激波 超音速 机翼 阻力 升力 压力 发动机 喷嘴 传热 湍流 平板 圆柱".split()
GREEK = "πτερύγιο ψύξη οριακό στρώμα κύμα".split()
PASSAGES = SplitterSettings(tokens=24, overlap=0)
CHUNK = 65_536


class PartlyReading(HashingEncoder):
    """HashingEncoder that reads no Greek: passages of it get no vector."""

    def readable(self, text: str) -> float:
        letters = [character for character in text if character.isalpha()]
        return sum(not "Ͱ" <= letter <= "Ͽ" for letter in letters) / max(len(letters), 1)


ENCODER = PartlyReading(48)


EMPTY_FIELDS = False
"""Whether some passages have no title, no headings or no words: what BM25 makes of that differs between backends."""


def documents() -> list[Document]:
    """Return them all, the same at every call."""
    chance = random.Random(11)
    made = [*_english(chance), *_chinese(chance), *_structured(chance), *_odd(chance)]
    return made if EMPTY_FIELDS else [_filled(document) for document in made]


def _filled(document: Document) -> Document:
    if document.doc_id in ("empty", "blank"):  # without any passage
        return document
    said = any(map(str.isalnum, document.text))
    return replace(
        document,
        title=document.title if any(map(str.isalnum, document.title)) else "Untitled",
        text=document.text if said else f"{document.text} Panel.",
        blocks=(),
    )


def _english(chance: random.Random) -> list[Document]:
    weights = [1 / rank for rank in range(1, len(WORDS) + 1)]
    made = []
    for n in range(48):
        sentences = [_sentence(chance, WORDS, weights) for _ in range(chance.randint(1, 9))]
        metadata = {
            "year": 1990 + n % 20,
            "lang": "en" if n % 3 else "de",
            "tags": (f"t{n % 4}", f"t{n % 7}"),
            "published": date(2020, 1, 1) + timedelta(days=n),
            "open": n % 2 == 0,
        }
        title = " ".join(chance.choices(WORDS, k=2)).title() if n % 4 else ""
        made.append(Document(f"d{n:02}", " ".join(sentences), title, metadata, source=f"made/{n}.txt"))
    # The same text under three ids, so that equal scores happen.
    return [*made, *(Document(name, made[5].text, made[5].title) for name in ("zz", "aa"))]


def _sentence(chance: random.Random, words: Sequence[str], weights: Sequence[float] | None = None) -> str:
    return " ".join(chance.choices(words, weights, k=chance.randint(4, 11))).capitalize() + "."


def _chinese(chance: random.Random) -> list[Document]:
    made = []
    for n in range(8):
        sentences = [
            "".join(chance.choices(CHINESE, k=chance.randint(3, 6))) + "。" for _ in range(6 + 5 * n)
        ]
        metadata = {
            "lang": "zh",
            "year": 2000 + n,
            "作者": ("王", "李")[n % 2],
            "tags": ("涡轮", f"t{n % 4}"),
        }
        made.append(
            Document(f"中文-{n}", " ".join(sentences), "".join(chance.choices(CHINESE, k=2)), metadata)
        )
    mixed = "涡轮 turbine 叶片 blade 冷却 cooling. " + _sentence(chance, WORDS)
    return [*made, Document("混合", mixed, "Turbine 涡轮", {"lang": "zh", "year": 2024})]


def _structured(chance: random.Random) -> list[Document]:
    """Return long documents with headings in two levels, and one with pages."""
    made = []
    for n in range(5):
        parts, blocks, at = [], [], 0
        for section in range(6):
            kind = "heading" if section % 2 == 0 else "paragraph"
            count = 4 + n
            text = " ".join(_sentence(chance, WORDS) for _ in range(count))
            text = chance.choice(WORDS).title() if kind == "heading" else text
            blocks.append(Block(kind, at, at + len(text), (1 + section % 4 // 2) if kind == "heading" else 0))
            parts.append(text)
            at += len(text) + 2
        text = "\n\n".join(parts)
        pages = tuple(range(0, len(text), 150)) if n == 0 else ()
        metadata = {"kind": "report", "year": 2010 + n, "score": n / 3}
        made.append(Document(f"long-{n}", text, f"Report{n}", metadata, f"r/{n}.pdf", tuple(blocks), pages))
    return made


def _odd(chance: random.Random) -> list[Document]:
    greek = " ".join(_sentence(chance, GREEK) for _ in range(3))
    # Characters beyond the basic plane on both sides of where a store may cut a text.
    huge = " ".join(f"{chance.choice(WORDS)}{'😀𝒜é'[n % 3] * 200}." for n in range(2 * CHUNK // 190))
    values = {
        "": "dropped below",
        "a": 1,
        "a.b": "dotted",
        "a.b.c": 2.5,
        "_id": "not the server's",
        "meta": "inside",
        "not": True,
        "100%": "per cent",
        "Größe": 3,
        "größe": 4,
        " spaced ": "  spaces are kept  ",
        '"quoted"\\': "quote",
        "tab\there": "a\nb",
        "*": "star",
        "emoji😀": "😀",
        "n" * 300: "a long name",
        ".": "dot",
        "..": "dots",
    }
    del values[""]
    mixed = [7, 7.5, "7", True, date(2020, 1, 7), "true", "2020-01-07", False, -3, 0]
    numbers = [0, -1, 1.5, 2**53, -(2**40), 1e300, 5e-324, 0.1, 1e-7, 123456789.25]
    dates = [
        date(1, 1, 1),
        date(1969, 12, 31),
        datetime(2024, 2, 29, 12, 30, 15),
        datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC),
        datetime(2024, 2, 29, 14, 30, 15, tzinfo=timezone(timedelta(hours=2))),
        datetime(2024, 2, 29, 12, 30, 15, 250_000),
        date(9999, 12, 31),
    ]
    made = [
        Document("empty", ""),
        Document("blank", " \n\t "),
        Document("title only", "", "Supersonic Flutter", {"lang": "en"}),
        Document("signs", "... !!! ???", "!"),
        Document("greek", greek, metadata={"lang": "el"}),
        Document("half greek", f"{greek} {' '.join(_sentence(chance, WORDS) for _ in range(4))}", "ψύξη"),
        Document("huge", huge, "Huge", {"kind": "report"}),
        Document("fields", "Turbine blade with fields.", metadata=values),
        Document(
            "long value", "A long value.", metadata={"note": "x" * 40_000, "tags": ("t1", "y" * 33_000)}
        ),
        Document("other long value", "A long value.", metadata={"note": "x" * 39_999 + "z"}),
        Document("no values", "Nothing in a field.", metadata={"tags": (), "none": ()}),
        Document(
            "repeated values", "Twice the same.", metadata={"tags": ("t1", "t1", "t2"), "a": (1, 1.0, True)}
        ),
        Document("words", f"{'w' * 300} {'é' * 200} O'Neill e-mail U.S.A. 3.14 user_name don't", "Odd Words"),
        Document("x" * 1024, "The longest id. Turbine.", "Long id"),
        Document("../up", "Turbine up.", "Up"),
        Document("CASE", "Upper case turbine."),
        Document("case", "Lower case turbine."),
        Document('id with "quotes", spaces & %41 \\ 😀', "Turbine quoted."),
        Document("_all", "Turbine of all.", source="s" * 3000),
        Document("-", "Minus turbine."),
    ]
    for n, one in enumerate(mixed):
        made.append(Document(f"mixed-{n}", f"Mixed kinds {n}.", metadata={"mixed": one, "n": n}))
    made += [Document(f"n-{n}", f"Number {n}.", metadata={"number": one}) for n, one in enumerate(numbers)]
    made += [Document(f"when-{n}", f"Date {n}.", metadata={"when": one}) for n, one in enumerate(dates)]
    return made
