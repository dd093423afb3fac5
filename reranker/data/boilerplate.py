"""Headings that say nothing of what stands under them."""

from __future__ import annotations

from reranker.data.wording import normal

_NAMES = """
Abstract · Introduction · Background · Overview · Summary · Preface · Foreword · Motivation · Objectives · Aim · Scope
Preliminaries · Related work · Previous work · Literature review · Theory · Definitions · Notation · Terminology
Method · Methods · Methodology · Materials · Materials and methods · Methods and materials · Approach · Our approach
Data · Dataset · Datasets · Experiment · Experiments · Experimental setup · Experimental results · Setup · Evaluation
Analysis · Results · Results and discussion · Discussion · Limitations · Conclusion · Conclusions · Concluding remarks
Conclusion and future work · Conclusions and future work · Discussion and conclusion · Future work · Implications
Acknowledgement · Acknowledgements · Acknowledgment · Acknowledgments · Author contributions · Competing interests
Conflict of interest · Conflicts of interest · Funding · Ethics statement · Appendix · Appendices · Supplement
Supplementary material · References · Bibliography · Works cited · Citations · Sources · Further reading · See also
External links · Notes · Footnotes · Endnotes · Notes and references · Contents · Table of contents · Index · Glossary
List of figures · List of tables · Copyright · License · Licence · Disclaimer · About · About the author · Contact
FAQ · Gallery · Miscellaneous · Other · General · Examples · Example · Usage · Installation · Untitled
Untitled document
摘要 · 引言 · 绪论 · 緒論 · 前言 · 序 · 序言 · 目录 · 目錄 · 背景 · 概述 · 简介 · 簡介 · 方法 · 实验 · 结果 · 讨论
结论 · 結論 · 总结 · 總結 · 附录 · 附錄 · 致谢 · 致謝 · 参考文献 · 參考文獻 · 参考资料 · 參考資料
注释 · 註釋 · 外部链接 · 外部連結 · 相关条目 · 参见 · 參見
"""

BOILERPLATE = frozenset(normal(name) for name in _NAMES.replace("\n", "·").split("·") if normal(name))
"""These headings in normal form (`wording.normal`)."""
