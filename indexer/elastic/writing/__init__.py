"""How documents get to a cluster, once each, whatever dies meanwhile; how what is there is checked and compacted."""
