"""Rows of our vectors for canonical encoding, keys, trees, checkpoints and feeds."""
