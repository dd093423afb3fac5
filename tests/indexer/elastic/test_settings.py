"""Settings of Elasticsearch: what is checked, and that secrets stay inside."""

from __future__ import annotations

import base64
from dataclasses import fields
from typing import Any

import pytest

from indexer.elastic.settings import SECRETS, ElasticSettings
from indexer.errors import InvalidSettings


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"timeout_seconds": 0}, "timeout_seconds must be from 0.1"),
        ({"timeout_seconds": True}, "timeout_seconds"),
        ({"timeout_seconds": float("nan")}, "timeout_seconds"),
        ({"connect_seconds": -1.0}, "connect_seconds"),
        ({"retries": -1}, "retries must be from 0"),
        ({"retries": 2.5}, "whole number"),
        ({"connections": 0}, "connections"),
        ({"shards": 0}, "shards"),
        ({"replicas": -1}, "replicas"),
        ({"bulk_megabytes": 200}, "bulk_megabytes"),
        ({"quantisation": "int2"}, "int8, int4, bbq, none"),
        ({"username": "u"}, "needs password"),
        ({"password": "p"}, "needs username"),
        ({"username": "a:b", "password": "p"}, "colon"),
        ({"api_key": "k", "username": "u", "password": "p"}, "not both"),
        ({"api_key": "k\n"}, "damaged"),
        ({"ca": "a.pem", "ca_fingerprint": "a" * 64}, "two ways"),
        ({"ca_fingerprint": "abc"}, "64 digits"),
        ({"cloud_id": "x:eQ==", "sniff": True}, "sniff must be off"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidSettings, match=says):
        ElasticSettings(**values)


def test_secrets_are_shown_nowhere() -> None:
    for settings in (
        ElasticSettings(api_key="hunter2"),
        ElasticSettings(username="reader", password="hunter2"),
    ):
        assert "hunter2" not in repr(settings) + str(settings) + settings.who
    with pytest.raises(InvalidSettings) as caught:
        ElasticSettings(api_key="hunter2 hunter2")
    assert "hunter2" not in str(caught.value)


def test_every_secret_is_named_as_one() -> None:
    hidden = {one.name for one in fields(ElasticSettings) if not one.repr}
    assert hidden == SECRETS


def test_who_asks_is_sent_as_the_server_wants_it() -> None:
    assert ElasticSettings().authorization == ""
    basic = ElasticSettings(username="reader", password="pä:ss").authorization
    assert base64.b64decode(basic.removeprefix("Basic ")).decode() == "reader:pä:ss"
    encoded = base64.b64encode(b"id:key").decode()
    assert ElasticSettings(api_key=encoded).authorization == f"ApiKey {encoded}"
    assert ElasticSettings(api_key="id:key").authorization == f"ApiKey {encoded}"


def test_a_fingerprint_may_have_colons_and_capitals() -> None:
    plain = "0123456789abcdef" * 4
    spelt = ":".join(plain[at : at + 2] for at in range(0, 64, 2)).upper()
    assert ElasticSettings(ca_fingerprint=spelt).fingerprint == plain
