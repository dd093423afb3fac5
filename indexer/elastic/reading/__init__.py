"""How an index on a cluster answers the reader's protocol: `reader.py`, and what it asks."""
