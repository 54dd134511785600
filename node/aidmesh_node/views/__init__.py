"""Read models: what queries answer from. Derived from the event log and the feed rows, never the other way
round.
"""
