"""Use cases by noun (get, act, commit), the three doors, and the ports they need from the rim."""
