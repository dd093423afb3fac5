"""What the indexes on a cluster look like, and the records that go into them."""
