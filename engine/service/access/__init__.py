"""Who asks, and may they: API keys, readers' tokens, rates, and what no request may do."""
