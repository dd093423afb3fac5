"""What the index of a tenant's readers looks like: its name, its mapping, and the ids of what is in it.

One document by its `kind`, where it is found, and what is in it:

    store        "store"            the key of pseudonyms; the highest version ever given to somebody who is gone
    reader       a hash of the id   a reader's entry (`entry`): all that is known, but older events if there are many
    piece        "<uid>.<random>"   up to 1,000 of these older events, beside their reader's entry (same routing)
    leaving      "leaving-<uid>"    a reader is being erased (`erasing`)
    learnt       "learnt"           how often lists were learnt and dropped, the facts, weights by clicks (`lists`)
    neighbours   "near-<hash>"      the documents read by the readers of one
    lease        "lease-<what>"     somebody is at something that nobody else may be at (`lease`)

`uid` is a number drawn by chance for each reader, so that what belongs to them can be found without their name.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from engine.personal.schema import checked_tenant

FORMAT = 1
STORE, LEARNT = "store", "learnt"


def index_of(name: str, tenant: str) -> str:
    """Return what the index of a tenant's readers is called: a capital letter, which it cannot have, gets a dot.

    Raises:
        InvalidProfileChange: that is no name of a tenant.
    """
    letters = (f".{letter.lower()}" if letter.isupper() else letter for letter in checked_tenant(tenant))
    return f"{name}-readers-{''.join(letters)}"


def reader_id(user_id: str) -> str:
    """Return the id of a reader's entry, which is the routing of all that belongs to them: their name is in no URL."""
    return blake2b(user_id.encode(), digest_size=16, person=b"quire reader").hexdigest()


def near_id(doc_id: str) -> str:
    """Return the id of the list of a document's neighbours."""
    return "near-" + blake2b(doc_id.encode(), digest_size=16, person=b"quire document").hexdigest()


def leaving_id(uid: str) -> str:
    """Return the id of the mark of a reader who is being erased."""
    return f"leaving-{uid}"


def body(tenant: str, *, shards: int, replicas: int) -> dict[str, Any]:
    """Return the body that the index is made with."""
    aside: dict[str, Any] = {"type": "object", "enabled": False}
    text: dict[str, Any] = {"type": "text", "index": False}
    met: dict[str, Any] = {"type": "keyword"}
    return {
        "settings": {"number_of_shards": shards, "number_of_replicas": replicas},
        "mappings": {
            "dynamic": "strict",
            "_meta": {"quire_readers": str(FORMAT), "tenant": tenant},
            "_routing": {"required": True},
            # Searched, and made from the rest: they would be there twice.
            "_source": {"excludes": ["documents", "identities"]},
            "properties": {
                "kind": {"type": "keyword"},
                "mark": {"type": "keyword", "index": False, "doc_values": False},
                # store
                "key": {"type": "keyword", "index": False, "doc_values": False},
                "floor": {"type": "long", "index": False},
                # reader
                "reader": {"type": "keyword"},
                "uid": {"type": "keyword"},
                "salt": {"type": "keyword", "index": False, "doc_values": False},
                "came": {"type": "long"},
                "version": {"type": "long", "index": False},
                "removed": {"type": "long", "index": False},
                "count": {"type": "long", "index": False},
                "flooding": {"type": "boolean"},
                "recent": aside,
                "said": aside,
                "sealed": aside,
                # reader and piece
                "documents": met,
                "identities": {"type": "keyword", "doc_values": False},
                "events": aside,
                "revision": {"type": "long", "index": False},
                # leaving
                "home": {"type": "keyword"},
                "met": aside,
                # learnt
                "times": {"type": "long", "index": False},
                "dropped": {"type": "long", "index": False},
                "facts": text,
                "weights": text,
                # neighbours
                "document": {"type": "keyword"},
                "read_by": {"type": "long"},
                "near": {"type": "keyword", "doc_values": False},
                "likeness": {"type": "keyword", "index": False, "doc_values": False},
                "fingerprint": {"type": "keyword", "index": False},
            },
        },
    }
