"""What the node keeps, behind the ports of application/ports.py: SQLite, the vault, the mark, the locks.

No SQL outside this folder and views/. Nothing here reads the environment, the clock or the machine's
randomness.
"""
