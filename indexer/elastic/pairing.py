"""Whether an address and settings go together."""

from __future__ import annotations

import logging
from ipaddress import ip_address

from indexer.elastic.address import ElasticAddress
from indexer.elastic.settings import ElasticSettings
from indexer.errors import InvalidSettings

log = logging.getLogger(__name__)


def check_together(address: ElasticAddress, settings: ElasticSettings) -> None:
    """Refuse address and settings that contradict each other; warn of credentials that nothing would encrypt.

    Raises:
        InvalidSettings: hosts and a cloud id, or neither; settings of TLS for a plain address.
    """
    if settings.cloud_id and address.hosts:
        raise InvalidSettings(
            f"give hosts in the address or a cloud_id, not both, found {address} and a cloud_id"
        )
    if not settings.cloud_id and not address.hosts:
        raise InvalidSettings(f"{address} names no host: add one, or set cloud_id in [elasticsearch]")
    if (settings.ca or settings.ca_fingerprint) and not (address.secure or settings.cloud_id):
        raise InvalidSettings(
            f"ca and ca_fingerprint need TLS: write elasticsearch+https://… in place of {address}"
        )
    _warn_of_plain_text(address, settings)


def _warn_of_plain_text(address: ElasticAddress, settings: ElasticSettings) -> None:
    open_hosts = [host for host, _ in address.hosts if not address.secure and not _is_here(host)]
    if settings.authorization and open_hosts:
        log.warning(
            "the credentials of [elasticsearch] go to %s unencrypted: write elasticsearch+https://",
            open_hosts[0],
        )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
