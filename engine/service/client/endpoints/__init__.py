"""The requests of /v1: each function returns the `Call` that asks for one thing; both clients have it as a method."""

from engine.service.client.endpoints.administration import reader_token, stats
from engine.service.client.endpoints.documents import document, similar, suggest, summaries, summary, why_not
from engine.service.client.endpoints.indexing import (
    add_documents,
    add_files,
    add_paths,
    cancel,
    delete_documents,
    job,
    jobs,
)
from engine.service.client.endpoints.readers import (
    declare,
    erase_profile,
    export_profile,
    forget_document,
    mute,
    profile,
    recommend,
    record,
    undeclare,
    unmute,
)
from engine.service.client.endpoints.search import search, stream

__all__ = [
    "add_documents",
    "add_files",
    "add_paths",
    "cancel",
    "declare",
    "delete_documents",
    "document",
    "erase_profile",
    "export_profile",
    "forget_document",
    "job",
    "jobs",
    "mute",
    "profile",
    "reader_token",
    "recommend",
    "record",
    "search",
    "similar",
    "stats",
    "stream",
    "suggest",
    "summaries",
    "summary",
    "undeclare",
    "unmute",
    "why_not",
]
