"""Our own vectors for messages: bytes built from msgpack, hashlib and hmac alone, verdicts stated by hand.

Nothing here calls the code under test except to sign, and Ed25519 has vectors of its own.
"""

from tests.support.message_vectors import (
    bundle,
    entry,
    identity,
    invitation,
    pairing,
    request_signing,
    sealed,
    statements,
    terms,
    words,
)

FILES = {
    "entry": entry.document,
    "statements": statements.document,
    "bundle": bundle.document,
    "identity": identity.document,
    "request_signing": request_signing.document,
    "words": words.document,
    "terms": terms.document,
    "invitation": invitation.document,
    "pairing": pairing.document,
    "sealed": sealed.document,
}
