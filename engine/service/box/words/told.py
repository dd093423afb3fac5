"""The engine's own sentences in the language of the page: notices, and how each term of a score came about.

The engine speaks English. What it says is recognised here by its form and said again; what is not recognised is shown
as it is, marked as English.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.service.box.words.words import CHINESE, ENGLISH

_NUMBER = r"-?[\d.,]+"
_COMMA = re.compile(r", (?=passage |not proposed |× |of the best|of \d|[\d,]+ tokens cut)")


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, and whether it stayed in English on a page that is not."""

    text: str
    foreign: bool = False


def told(sentence: str, language: str) -> Told:
    """Return what the engine says, in a language of the pages."""
    if language == ENGLISH:
        return Told(sentence)
    for pattern, said in _CHINESE if language == CHINESE else ():
        found = pattern.fullmatch(sentence)
        if found:
            return Told(said.format(*(part or "" for part in found.groups())))
    parts = _parts(sentence)
    if len(parts) > 1:
        each = [told(part, language) for part in parts]
        if not any(one.foreign for one in each):
            return Told("，".join(one.text for one in each))
    return Told(sentence, foreign=True)


def _parts(sentence: str) -> list[str]:
    """Return the parts of a term's detail, which commas separate."""
    return _COMMA.split(sentence)


def _patterns(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(pattern.replace("#", f"({_NUMBER})"), re.DOTALL), said) for pattern, said in pairs
    )


_CHINESE = _patterns(
    (
        # Notices
        (
            r"No document meets all conditions of the query .*",
            "没有文档符合查询的全部条件（筛选、+词、“短语”、-词）。",
        ),
        (
            r"Nothing matches ['\"](.*)['\"]; these are the results for ['\"](.*)['\"]\.",
            "没有找到“{0}”；以下是“{1}”的结果。",
        ),
        (
            r"The encoder (.*) cannot read this script, so words alone decide\.",
            "编码器 {0} 不认识这种文字，所以只按词语排序。",
        ),
        (r"Only the first # characters of the query were read\.", "只读了查询的前 {0} 个字符。"),
        (
            r"The query only says what to leave out; add a word to look for\.",
            "查询只说了要排除什么；请加上要找的词。",
        ),
        (r"The query only has conditions; add a word to look for\.", "查询只有条件；请加上要找的词。"),
        (
            r"The query has no letters or digits to look for; add a word\.",
            "查询中没有可搜索的文字或数字；请加上一个词。",
        ),
        (r"The query is empty; add a word to look for\.", "查询为空；请加上要找的词。"),
        (
            r"A quotation mark is not closed: (.*) is searched as plain words\.",
            "引号没有配对：{0} 按普通词语搜索。",
        ),
        (
            r"There is no field (.*); (.*) is searched as plain words\..*",
            "没有字段 {0}；{1} 按普通词语搜索。",
        ),
        (
            r"The # best candidates are in the order of (.*); more documents may match\.",
            "最好的 {0} 篇按 {1} 排序；可能还有更多文档符合。",
        ),
        (r"Many are searching just now, so fewer .*", "现在搜索的人较多，所以重读的文档比平时少。"),
        (r"Very many are searching just now, so no .*", "现在搜索的人很多，所以没有重读任何文档。"),
        # How a term came about
        (r"BM25 # of at most #", "BM25 为 {0}，最高 {1}"),
        (r"words in the whole document: BM25 # of at most #", "全文词语：BM25 为 {0}，最高 {1}"),
        (r"cosine # of at most #", "余弦为 {0}，最高 {1}"),
        (r"passage # by words", "按词语第 {0} 段"),
        (r"passage # by meaning", "按语义第 {0} 段"),
        (r"not proposed by words", "未由词语提出"),
        (r"not proposed by meaning", "未由语义提出"),
        (r"words had no say", "词语不参与"),
        (r"meaning had no say", "语义不参与"),
        (r"the passage has no vector", "该段没有向量"),
        (r"tokens meet their like at a cosine of #", "各词与最相近的词余弦为 {0}"),
        (r"the document as a whole is # like the query", "整篇文档与查询的相似度为 {0}"),
        (r"the nearest candidates score #", "最相近的候选文档得分 {0}"),
        (r"cross-encoder #", "交叉编码器给出 {0}"),
        (r"× #", "× {0}"),
        (r"× # × the highest fused score", "× {0} × 最高融合分"),
        (r"of the best passage", "读的是最好的一段"),
        (r"of # passages", "读了 {0} 段"),
        (r"# tokens cut", "截去 {0} 个词元"),
        (r"not compared token by token: counted as the lowest", "没有逐词比较：按最低计"),
        (r"the document has no vector: counted as the lowest", "文档没有向量：按最低计"),
        (r"no candidate is near: counted as the lowest", "没有相近的候选：按最低计"),
        (r"not reranked: counted as the lowest", "没有重读：按最低计"),
        (
            r"met before, or beyond what interests look at: counted as the lowest",
            "看过，或不在兴趣的范围内：按最低计",
        ),
        (r"likeness to the documents above it", "与排在前面的文档相似"),
        (r"the past has nothing to say about it here", "过往与它无关"),
        (r"near “(.*)” \(cosine #\), which you met \((.*)\)", "接近您看过的“{0}”（余弦 {1}）"),
        (r"you are interested in “(.*)” \(cosine #\)", "您对“{0}”感兴趣（余弦 {1}）"),
        (
            r"others who met “(.*)”, as you did, met it too \(brings #\)",
            "看过“{0}”的其他读者也看过它（加 {1}）",
        ),
    )
)
