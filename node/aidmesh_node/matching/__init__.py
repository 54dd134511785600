"""Suggestions of who could help whom with what. Pure, and never more than a suggestion."""
