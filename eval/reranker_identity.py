"""Which cross-encoder has a part in an answer: what caches of answers have to know besides the settings."""

from __future__ import annotations

from engine.settings import NO_RERANKER, SearchSettings


def asks_reranker(settings: SearchSettings) -> bool:
    """Return whether a search with these settings asks a cross-encoder."""
    return settings.reranker != NO_RERANKER and settings.rerank_depth > 0 and settings.rerank_weight > 0


def reranker_identity(settings: SearchSettings) -> str:
    """Return what tells the scores of the cross-encoder in use from those of others; empty where none is asked.

    Settings name a folder or a model, whose files may change under the same name: trained again, say, or installed
    since. A search with a model that cannot be loaded goes on without it, so that this, too, is an identity, and ends
    with the repair.
    """
    if not asks_reranker(settings):
        return ""
    from reranker.errors import RerankerError
    from reranker.load import reranker_fingerprint

    try:
        return reranker_fingerprint(settings.reranker)
    except RerankerError as error:
        return f"cannot be loaded: {error}"
