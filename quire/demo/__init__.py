"""The demonstration: real, long documents that are on any machine with Python, indexed and searched.

`corpus` writes them, `tour` runs the three queries of `make demo` and says what each retriever alone would have
missed.
"""
