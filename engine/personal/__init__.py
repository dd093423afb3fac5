"""Search that knows who asks: what readers did, what they care about, and what that changes in a list.

- `readers`: what a store promises of what each reader did, declared and turned off, to be seen, corrected and erased.
  `store` keeps it in a file for each tenant, `elastic` in an index on Elasticsearch; `opening` knows which. Beside the
  file: `schema`, `recording` (how events go in), `loading` (how they come out), `lists_in_file`, `erasing` (how nothing
  is left of them). Of both stores: `history` (the values), `admission`, `reading`, `recent`.
- `interests`: what a past comes to. `weighing` says how much each document of it counts, `medoids` groups them,
  `profiles` keeps the outcome while it holds, `settings` says how.
- `tilt`: what that adds to a list, from `near` (likeness), `shared` (what others read) and `gate` (is it about this
  query?); without a query: `worth`.
- `together`: what readers share; `learning` learns it, by the arithmetic of `coreading`.
- `clicked`, `fitting`, `learned`: how much it should all count, by what was clicked. `joint` fits an encoder to it.

Nothing in here is imported before a query names a reader.
"""
