"""The demo: three groups on this machine help each other on real files, and every step is checked.

Talks to its nodes over HTTP like any other client, and never looks into their homes except for the operator's token.
"""
