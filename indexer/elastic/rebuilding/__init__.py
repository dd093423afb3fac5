"""How an index on a cluster is made anew while it is used: `rebuild.py`, over `generations.py`."""
