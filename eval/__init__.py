"""Is it any good, and is the difference real?

Holds nothing yet but this purpose: topics, qrels, runs, measures, significance tests and reports arrive with the
evaluation harness. It drives the engine as any user would, and the engine knows nothing of it.
"""
