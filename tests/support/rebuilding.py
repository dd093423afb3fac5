"""A rebuild in a process of its own, which dies at a chosen moment: `rebuilding.py ADDRESS PHASE DOCUMENTS PASSES`."""

from __future__ import annotations

import os
import signal
import sys

from indexer.elastic.rebuilding import passes, rebuild
from indexer.elastic.settings import ElasticSettings
from indexer.elastic.wire.connection import Cluster


def main(address: str, phase: str, documents: int, passes_begun: int) -> None:
    """Rebuild; die, as by a power cut, in that phase when so many documents have been copied, in so many passes."""

    def die(report: rebuild.RebuildReport) -> None:
        if report.phase == phase and report.documents >= documents and report.passes >= passes_begun:
            os.kill(os.getpid(), signal.SIGKILL)

    passes.BATCH = 5
    with Cluster(address, ElasticSettings(replicas=0, timeout_seconds=60.0)) as cluster:
        rebuild.rebuild(cluster, cluster.address.name, progress=die)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
