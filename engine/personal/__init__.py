"""Search that knows who asks: what readers did, what they care about, and what that changes in a list.

- `store`: what each reader did, declared and turned off, in a file of its own for each tenant, to be seen, corrected
  and erased. Beside it: `history` (the values), `schema` (the file), `recording` and `admission` (how events go
  in), `loading` (how they come out), `erasing` (how nothing is left of them).

Nothing in here is imported before a query names a reader.
"""
