"""The readers of a tenant in an index on Elasticsearch, `<name>-readers-<tenant>`, with nothing but the server.

- `store`: what `engine.personal.readers.Readers` promises. Where things are: `layout`; asking the server: `access`.
- `entry`: a reader's own document, changed under optimistic concurrency (`changing`); `pieces`: older events of readers
  who have many; `adding`: how events go in; `scanning`: everything at once.
- `lists`: what readers share. `lease`: one at a time where two would be in each other's way.
- `erasing`: how a reader goes; `expunging`: how the bytes go, too.
"""
