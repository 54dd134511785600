"""One group's node: decides, keeps, publishes and receives. Nothing happens at import time."""
