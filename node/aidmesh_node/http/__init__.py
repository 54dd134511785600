"""The HTTP rim: parse, ask who it is, make exactly one call inward, answer. Decides nothing itself."""
