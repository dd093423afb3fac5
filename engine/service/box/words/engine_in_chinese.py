"""The engine's sentences, each as a pattern, and how Chinese says it; `#` is a number, and goes where `{0}` is."""

from __future__ import annotations

CHINESE_OF_ENGLISH: tuple[tuple[str, str], ...] = (
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
    (r"# documents? that you have met (?:is|are) left out\.", "有 {0} 篇您看过或隐藏的文档没有列出。"),
    (
        r"The # best candidates are in the order of (.*); more documents may match\.",
        "最好的 {0} 篇按 {1} 排序；可能还有更多文档符合。",
    ),
    (r"Many are searching just now, so fewer .*", "现在搜索的人较多，所以重读的文档比平时少。"),
    (r"Very many are searching just now, so no .*", "现在搜索的人很多，所以没有重读任何文档。"),
    (
        r"The time budget of # ms ended when # of # documents were reranked; the others follow .*",
        "时限 {0} 毫秒已到，{2} 篇中重读了 {1} 篇；其余按原来的顺序排列。",
    ),
    (
        r"The reranker stopped when # of # documents were reranked; the others follow .*",
        "重读中断，{1} 篇中重读了 {0} 篇；其余按原来的顺序排列。",
    ),
    (
        r"The reranker failed, so the order before it stands \((.*)\)\.",
        "重读失败，保持原来的顺序（{0}）。",
    ),
    (r"The encoder failed, so words alone decide \((.*)\)\.", "编码器出错，所以只按词语排序（{0}）。"),
    (
        r"The query has more than # operators; the rest is searched as plain words\.",
        "查询中的运算符超过 {0} 个；其余的按普通词语搜索。",
    ),
    (
        r"The index has changed since the first page; the order is as it was then\.",
        "第一页之后索引有变化；顺序仍如当时。",
    ),
    # Of summaries, and of documents that are alike
    (
        r"The encoder (.*) cannot read the query's script, so words alone decide\.",
        "编码器 {0} 不认识查询的文字，所以只按词语挑选。",
    ),
    (
        r"The encoder failed, so words and order alone decide \((.*)\)\.",
        "编码器出错，所以只按词语和先后挑选（{0}）。",
    ),
    (r"The document has no vectors, so words alone decide\.", "文档没有向量，所以只按词语挑选。"),
    (r"The document has no vectors, so .*", "文档没有向量，所以只按词语和先后挑选。"),
    (r"The document has no text to choose sentences from\.", "文档没有可供挑选的句子。"),
    (
        r"The document has no vector, so these are those that share the words which name it\.",
        "文档没有向量，所以这里列出与它有共同关键词的文档。",
    ),
    (r"No other document that may come is like it\.", "没有与它相似的其他文档。"),
    # Why a document is not there
    (r"The filter (.*) leaves it out\.", "筛选条件 {0} 排除了它。"),
    (r"None of its passages holds (.*), which the query requires\.", "它没有一段含有查询所要求的 {0}。"),
    (r"It holds (.*), which the query excludes\.", "它含有查询所排除的 {0}。"),
    (
        r"What this reader has met, or wants to see no more of, .*",
        "您看过或不想再看到的文档不出现在您的列表里，它也是。",
    ),
    (
        r"It was found, but # documents score higher, and a list holds no more\.",
        "找到了它，但有 {0} 篇文档得分更高，列表只容得下这么多。",
    ),
    (
        r"None of its passages was among the best # that each index proposed\.",
        "它没有一段进入各索引提出的前 {0} 段。",
    ),
    (r"No passage of it holds a word of the query", "它没有一段含有查询中的词"),
    (
        r"Its best passage by words has BM25 # \(the highest is #\)",
        "按词语最好的一段 BM25 为 {0}（最高 {1}）",
    ),
    (r"the whole document has BM25 # \(the highest is #\)", "全文 BM25 为 {0}（最高 {1}）"),
    (
        r"its best by meaning has cosine # \(the highest is #\)\.",
        "按语义最好的一段余弦为 {0}（最高 {1}）。",
    ),
    (r"meaning had no say\.", "语义不参与。"),
    (r"none of its passages has a vector\.", "它的段落都没有向量。"),
    (
        r"It is at rank # of #, below the # results asked for\.",
        "它在 {1} 篇中排第 {0} 位，在所要的 {2} 篇之后。",
    ),
    (r"Without the reader's interests it is number #\.", "不计您的兴趣，它排第 {0} 位。"),
    (r"Without the reader's interests it is not in the list\.", "不计您的兴趣，它不在列表里。"),
    (
        r"It was number # before reranking, which looks at the first # only\.",
        "重读之前它排第 {0} 位，而重读只看前 {1} 篇。",
    ),
    (
        r"It was number # before reranking, which made it number #\.",
        "重读之前它排第 {0} 位，重读之后排第 {1} 位。",
    ),
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
)
