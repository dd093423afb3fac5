"""Where training examples come from: judgements, clicks, preferences, or the documents' own structure.

A *source* yields `JudgedQuery`s: what was asked, and what is known of which documents. *Mining* looks for hard
negatives in an index and makes an `Example` of each, which is what a trainer reads. Between the two, `check` says
what is wrong with the data before any time is spent on it, and `split` keeps some queries aside.

Nothing here knows an index: mining asks a `CandidateSource`, which whoever has an index provides.
"""
