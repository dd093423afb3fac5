"""The `service` kind: any search service that answers HTTP with JSON.

url = "http://localhost:9200/books/_search"      {query}, {k}, {query_id}, {user_id}, {collection} are filled in
body = { query = { match = { text = "{query}" } }, size = "{k}" }            with a body the request is a POST
hits = "hits.hits"                                               the way to the list of hits, and in each hit
id = "_id"                                                       to the document's id
score = "_score"                                                 and to its score; without, the order counts
"""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from eval.collection import Topic
from eval.errors import InvalidExperiment
from eval.experiment.pipeline import Answer, Ground, PipelineFailed, Ready

_PLACE = re.compile(r"\{(query|k|query_id|user_id|collection)\}")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Service:
    """A live service, asked over HTTP.

    Args:
        url: Where to ask.
        body: What to send as JSON; a string that is nothing but `{k}` becomes a number. Empty to send a GET.
        headers: Sent along; `${NAME}` stands for an environment variable, which is how secrets stay out of files.
        hits: Names, between dots, that lead through the answer to the list of hits; empty where it is the list.
        id: Names that lead through a hit to its document's id. Of several hits with the same, the first counts.
        score: Names that lead to its score; empty to trust the order alone.
        timeout: Seconds to wait for an answer.
        version: What stands behind the address. Answers are kept under it; without it they are asked for anew
            each time, because nobody can tell whether the service has changed.

    Raises:
        InvalidExperiment: a value is not what it should be.
    """

    kind: ClassVar[str] = "service"
    sources: ClassVar[tuple[str, ...]] = ()
    url: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    hits: str = "hits"
    id: str = "doc_id"
    score: str = ""
    timeout: float = 30.0
    version: str = ""

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise InvalidExperiment(
                f"a service needs `url`, which begins with http:// or https://; found {self.url!r}"
            )
        if not self.id or not self.timeout > 0:
            raise InvalidExperiment(
                f"id leads to a hit's document and timeout is above 0; found {self.id!r} and {self.timeout:g}"
            )

    def settings(self) -> Mapping[str, str]:
        """Return every setting in words; headers by name only."""
        return {
            "url": self.url,
            "body": json.dumps(self.body, ensure_ascii=False) if self.body else "none",
            "headers": ", ".join(self.headers) or "none",
            "hits": self.hits or "the answer itself",
            "id": self.id,
            "score": self.score or "by order",
            "version": self.version or "unknown",
        }

    def ingredients(self, ground: Ground) -> Mapping[str, str] | None:
        """Return the version and what is asked; None where nobody stated a version."""
        return {"version": self.version, "collection": ground.collection.name} if self.version else None

    @contextmanager
    def prepare(self, ground: Ground) -> Iterator[Ready]:
        """Check that the headers' variables are set; nothing is sent yet."""
        headers = {name: _filled_from_environment(name, value) for name, value in self.headers.items()}
        repeated: dict[str, int] = {}

        def answer(topic: Topic, k: int) -> Answer:
            ranked, repeated[topic.query_id] = self._ranked(
                topic, self._ask(topic, k, headers, ground.collection.name), k
            )
            return Answer(ranked)

        def warnings() -> list[str]:
            found = ["" if self.version else "a live service: asking it again may give other answers"]
            again = sum(repeated.values())
            said = (
                f"{again:,} hits repeated a document and were left out: the service ranks parts of documents"
            )
            found.append(said if again else "")
            return list(filter(None, found))

        yield Ready(answer, warnings=warnings)

    def _ask(self, topic: Topic, k: int, headers: Mapping[str, str], collection: str) -> Any:
        values: dict[str, str | int] = {
            "query": topic.text,
            "k": k,
            "query_id": topic.query_id,
            "user_id": topic.user_id or "",
            "collection": collection,
        }
        url = _PLACE.sub(lambda match: urllib.parse.quote(str(values[match[1]]), safe=""), self.url)
        request = urllib.request.Request(url, headers={"Accept": "application/json", **headers})
        if self.body:
            request.data = json.dumps(_filled(self.body, values)).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                said = error.read(200).decode("utf-8", "replace")
            raise PipelineFailed(
                f"{url} answered {error.code} {error.reason} to topic {topic.query_id}: {said}"
            ) from error
        except OSError as error:  # no connection, or none in time
            reason = getattr(error, "reason", error)
            raise PipelineFailed(
                f"{url} did not answer topic {topic.query_id} within {self.timeout:g} s ({reason}); is the service up?"
            ) from error
        except ValueError as error:
            raise PipelineFailed(
                f"{url} answered topic {topic.query_id} with something that is not JSON ({error})"
            ) from error

    def _ranked(self, topic: Topic, reply: Any, k: int) -> tuple[list[tuple[str, float]], int]:
        """Return the documents with scores, and how many hits repeated a document."""
        hits = _at(reply, self.hits, "hits", topic)
        if not isinstance(hits, list):
            raise PipelineFailed(
                f"topic {topic.query_id}: {self.hits or 'the answer'} is a {type(hits).__name__}; "
                "expected the list of hits: set `hits` to the names that lead to it"
            )
        ranked: dict[str, float] = {}
        for rank, hit in enumerate(hits, 1):
            doc_id = str(_at(hit, self.id, "id", topic))
            score = _at(hit, self.score, "score", topic) if self.score else 1 / rank
            if isinstance(score, bool) or not isinstance(score, int | float):
                raise PipelineFailed(
                    f"topic {topic.query_id}: the score of {doc_id} is {score!r}, not a number"
                )
            ranked.setdefault(doc_id, float(score))
        return list(ranked.items())[:k], len(hits) - len(ranked)


def _at(value: Any, way: str, setting: str, topic: Topic) -> Any:
    """Follow names between dots through JSON objects."""
    for name in filter(None, way.split(".")):
        if not isinstance(value, dict) or name not in value:
            there = ", ".join(value) if isinstance(value, dict) else f"a {type(value).__name__}"
            raise PipelineFailed(
                f"topic {topic.query_id}: the answer has no {name!r} on the way {way!r} (found: {there:.120}); "
                f"set `{setting}` to names that lead there"
            )
        value = value[name]
    return value


def _filled(part: Any, values: Mapping[str, str | int]) -> Any:
    """Return the body with its places filled."""
    if isinstance(part, dict):
        return {name: _filled(inner, values) for name, inner in part.items()}
    if isinstance(part, list):
        return [_filled(inner, values) for inner in part]
    if not isinstance(part, str):
        return part
    if part == "{k}":
        return values["k"]
    return _PLACE.sub(lambda match: str(values[match[1]]), part)


def _filled_from_environment(name: str, value: str) -> str:
    def variable(match: re.Match[str]) -> str:
        try:
            return os.environ[match[1]]
        except KeyError:
            raise PipelineFailed(f"header {name} needs the environment variable {match[1]}; set it") from None

    return _VARIABLE.sub(variable, value)
