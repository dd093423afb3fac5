"""The generations of an index: which of its makings there are, which one counts, and how another comes to count.

A generation is a pair of indexes, `books-passages-000002` and `books-documents-000002`. The aliases `books-passages`
and `books-documents` say which pair counts, and both move in one request. While a rebuild fills the next pair, that
carries the alias `books-building`; while it makes its last pass, and nobody may write to the old pair, that carries
`books-closing`. Whoever lets writers in again takes `books-closing` away first, and the request that moves the aliases
asks for it to be there: so a rebuild that hung, and was given up by others, can no longer switch to its copy.

A pair that does not count refuses writes: a writer that was asleep during a switch is told, and looks where to go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from indexer.elastic.errors import ElasticError, ElasticNotFound
from indexer.elastic.names import build_of, concrete, documents_alias, passages_alias
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing.state import change_state, read_state
from indexer.errors import IndexExists, IndexingError, IndexLocked, IndexNotFound, IndexUnavailable

_LONG_SECONDS = 60.0  # for writes under way to end
_SEEN = (
    "*.aliases,*.settings.index.blocks.write,*.settings.index.number_of_shards,"
    "*.settings.index.number_of_replicas,*.mappings._meta"
)


@dataclass(frozen=True, slots=True)
class Generation:
    """One making of an index.

    Args:
        name: Of the index.
        number: From 1.
        current: Whether both aliases point to it.
        building: Whether a rebuild has not finished it.
        closing: Whether a rebuild holds writers back from it, to copy the last of it.
        blocked: Whether writes to it are refused.
        complete: Whether both of its indexes are there.
        shards: Primary shards of each.
        replicas: Copies of each shard.
        meta: What its mapping says of it: analyser, encoder, format and so on.
    """

    name: str
    number: int
    current: bool
    building: bool
    closing: bool
    blocked: bool
    complete: bool
    shards: int
    replicas: int
    meta: Mapping[str, Any]

    @property
    def passages(self) -> str:
        """The index of its passages."""
        return concrete(passages_alias(self.name), self.number)

    @property
    def documents(self) -> str:
        """The index of its documents."""
        return concrete(documents_alias(self.name), self.number)

    @property
    def state(self) -> str:
        """In a word: current, building, half-made, or old."""
        if self.current:
            return "closing" if self.closing else "current"
        if not self.complete:
            return "half-made"
        return "building" if self.building else "old"

    @property
    def both(self) -> str:
        """Both indexes, as an address takes them."""
        return f"{self.passages},{self.documents}"


@dataclass(frozen=True, slots=True)
class Room:
    """What a generation holds, and the room that takes on the cluster's disks, with copies."""

    documents: int
    passages: int
    megabytes: float


class Generations:
    """What there is of one index on a cluster, and what becomes of it. Holds nothing: every call asks the server.

    Args:
        cluster: Where.
        name: Of the index.
    """

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self.name = name
        self.aliases = (passages_alias(name), documents_alias(name))
        self.building_alias = f"{name}-building"
        self.closing_alias = f"{name}-closing"

    def all(self) -> list[Generation]:
        """Return every generation there is, oldest first, half-made ones too."""
        pattern = ",".join(f"{alias}-*" for alias in self.aliases)
        found = self._cluster.request("GET", f"/{pattern}", params={"filter_path": _SEEN})
        pairs: dict[int, dict[str, Mapping[str, Any]]] = {}
        for index, told in (found or {}).items():
            for alias in self.aliases:
                number = build_of(index, alias)  # 0 for an index called books-passages-extra
                if number:
                    pairs.setdefault(number, {})[alias] = told
        return [self._generation(number, pairs[number]) for number in sorted(pairs)]

    def current(self) -> Generation:
        """Return the generation that counts.

        Raises:
            IndexNotFound: there is no index of this name.
            IndexingError: the aliases disagree, which only a hand can have done.
        """
        every = self.all()
        for generation in every:
            if generation.current:
                return generation
        if any(generation.complete for generation in every):
            raise IndexingError(
                f"the aliases {' and '.join(self.aliases)} do not point to one generation: choose one of those that "
                "`quire generations` lists, and set both aliases to it"
            )
        raise self._none()

    def building(self) -> Generation | None:
        """Return the generation that a rebuild has not finished, or None."""
        return next((each for each in self.all() if each.building), None)

    def before(self, current: Generation) -> Generation | None:
        """Return the newest finished generation older than this one, or None."""
        older = [
            each
            for each in self.all()
            if each.number < current.number and each.complete and not each.building
        ]
        return older[-1] if older else None

    def make(self, number: int, bodies: tuple[Mapping[str, Any], Mapping[str, Any]]) -> Generation:
        """Create the pair of indexes of a generation to be filled.

        Args:
            number: Its number.
            bodies: What each index is made with, settings and mappings: of the passages and of the documents.

        Raises:
            IndexExists: another rebuild has made it in this very moment.
        """
        for alias, made in zip(self.aliases, bodies, strict=True):
            body = {**made, "aliases": {self.building_alias: {}}}
            try:
                self._cluster.request("PUT", f"/{concrete(alias, number)}", body=body)
            except ElasticError as error:
                if error.kind != "resource_already_exists_exception":
                    raise
                raise IndexExists(
                    f"{self.name} has a generation {number} by now: another rebuild is at work"
                ) from error
        return next(each for each in self.all() if each.number == number)

    def close(self, generation: Generation) -> None:
        """Let nobody write to a generation any more; when this returns, no write is under way."""
        self._alias([_add(generation.documents, self.closing_alias)])
        self._block(generation)

    def reopen(self, generation: Generation) -> bool:
        """Let writers in again; return False when the rebuild has switched, or somebody else has reopened it."""
        try:
            self._alias([_remove(generation.documents, self.closing_alias)])
        except ElasticNotFound:
            return False
        self.unblock(generation)
        return True

    def switch(self, old: Generation, new: Generation) -> None:
        """Make `new` the generation that counts: both aliases at once, readers notice nothing.

        Raises:
            IndexLocked: `old` was opened to writers again, so that `new` may lack what they wrote; or the aliases
                have been moved.
        """
        actions = [_remove(old.documents, self.closing_alias)]
        for alias in self.aliases:
            before, after = (concrete(alias, each.number) for each in (old, new))
            actions += [_remove(before, alias), _add(after, alias)]
            if new.building:
                actions.append(_remove(after, self.building_alias))
        try:
            self._alias(actions)
        except (ElasticNotFound, IndexUnavailable) as error:
            if self.current().number == new.number:  # done before, or just now, and the answer was lost
                return
            if isinstance(error, IndexUnavailable):
                raise
            raise IndexLocked(
                f"the copy of {self.name} took its last step too late: writers have been let into the old generation "
                "again. It has not been harmed; run `quire rebuild` once more, it goes on where it stopped"
            ) from error

    def roll_back(self) -> tuple[Generation, Generation]:
        """Make the generation before the current one count again; return (the one left, the one that counts).

        The one left is kept, and refuses writes. What was written to it since the switch is not in the other.

        Raises:
            IndexNotFound: there is none to go back to.
            IndexLocked: a rebuild is copying the current one.
        """
        current = self.current()
        target = self.before(current)
        if target is None:
            raise IndexNotFound(f"{self.name} has no generation before {current.number} to go back to")
        if current.closing:
            raise IndexLocked(f"a rebuild of {self.name} is about to switch; wait for it, and roll back then")
        self.close(current)
        try:
            self.unblock(target)
            higher = read_state(self._cluster, current.documents).generation + 1
            change_state(
                self._cluster,
                target.documents,
                lambda state: replace(state, generation=max(higher, state.generation + 1)),
            )
            self.switch(current, target)
        except BaseException:
            self.reopen(current)
            raise
        return current, target

    def drop(self, number: int) -> None:
        """Delete a generation, and with it the room it takes.

        Raises:
            IndexNotFound: there is none of this number.
            IndexLocked: it is the one that counts.
        """
        found = [each for each in self.all() if each.number == number]
        if not found:
            have = ", ".join(str(each.number) for each in self.all()) or "none"
            raise IndexNotFound(f"{self.name} has no generation {number}; there are: {have}")
        if found[0].current:
            raise IndexLocked(
                f"generation {number} of {self.name} is the one that counts, and is not dropped"
            )
        self._cluster.request("DELETE", f"/{found[0].both}", params={"ignore_unavailable": "true"})

    def _none(self) -> IndexNotFound:
        place = self._cluster.address
        return IndexNotFound(
            f"there is no index {self.name!r} on the server, or {self._cluster.settings.who} may not see it; "
            f"make one with `quire index FOLDER {place}`"
        )

    def delete_all(self) -> None:
        """Delete every generation: there is no index of this name any more. Readers' own indexes stay.

        Raises:
            IndexNotFound: there is none.
        """
        every = self.all()
        if not every:
            raise self._none()
        names = ",".join(each.both for each in every)
        self._cluster.request("DELETE", f"/{names}", params={"ignore_unavailable": True})

    def room(self, generation: Generation) -> Room:
        """Return what a generation holds, as far as its shards answer."""
        lenient = {"ignore_unavailable": True}
        documents = {"query": {"term": {"kind": "document"}}}
        held = self._cluster.request(
            "POST", f"/{generation.documents}/_count", params=lenient, body=documents
        )
        passages = self._cluster.request("POST", f"/{generation.passages}/_count", params=lenient, body={})
        told = self._cluster.request("GET", f"/{generation.both}/_stats/store", params=lenient)
        size = int(told["_all"]["total"].get("store", {}).get("size_in_bytes", 0))
        return Room(int(held["count"]), int(passages["count"]), round(size / 1e6, 1))

    def _generation(self, number: int, pair: Mapping[str, Mapping[str, Any]]) -> Generation:
        aliases = {alias: set(told.get("aliases", {})) for alias, told in pair.items()}
        every = set().union(*aliases.values())
        settings = [told.get("settings", {}).get("index", {}) for told in pair.values()]
        told = next(iter(pair.values()))
        return Generation(
            name=self.name,
            number=number,
            current=all(alias in aliases.get(alias, ()) for alias in self.aliases),
            building=self.building_alias in every,
            closing=self.closing_alias in every,
            blocked=any(str(each.get("blocks", {}).get("write")) == "true" for each in settings),
            complete=len(pair) == len(self.aliases),
            shards=max(int(each.get("number_of_shards", 1)) for each in settings),
            replicas=max(int(each.get("number_of_replicas", 0)) for each in settings),
            meta=told.get("mappings", {}).get("_meta", {}),
        )

    def _alias(self, actions: list[dict[str, Any]]) -> None:
        self._cluster.request("POST", "/_aliases", body={"actions": actions})

    def _block(self, generation: Generation) -> None:
        # Unlike the setting of the same name, this waits until the writes under way are done.
        self._cluster.request("PUT", f"/{generation.both}/_block/write", timeout=_LONG_SECONDS)

    def unblock(self, generation: Generation) -> None:
        """Take writes to it."""
        self._cluster.request("PUT", f"/{generation.both}/_settings", body={"index.blocks.write": None})


def _add(index: str, alias: str) -> dict[str, Any]:
    return {"add": {"index": index, "alias": alias}}


def _remove(index: str, alias: str) -> dict[str, Any]:
    return {"remove": {"index": index, "alias": alias, "must_exist": True}}
