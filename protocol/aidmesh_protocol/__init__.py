"""The aidmesh/1 wire protocol: bytes in, values out.

No I/O, no clock, no random and no logging happen in this package; time, nonces and keys come in as arguments.
The specification is `protocol/SPEC.md`; modules cite its sections.
"""
