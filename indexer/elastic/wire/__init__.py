"""How a cluster is asked: requests with a deadline, tried again where that is safe, over verified connections."""
