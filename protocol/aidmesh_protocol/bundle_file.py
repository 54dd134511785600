"""Bundles as files: the packer's signature at the end, and SIZES as a line of text (SPEC §8.5).

What a file carries is verified as anything else that arrives (SPEC §13); the signature says who packed it, all of it.
"""

from __future__ import annotations

import base64
import binascii

from aidmesh_protocol.bundle import decode_bundle, encode_bundle
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.frames import End, Sizes
from aidmesh_protocol.keys import SigningKey, VerifyKey
from aidmesh_protocol.limits import SIZES_TEXT_CHARACTERS_MAX

SIZES_PREFIX = "aidmesh-sizes:"

_DOMAIN = b"aidmesh/1 file\n"


def sign_file(digest: bytes, key: SigningKey) -> End:
    """The last frame of a file; `digest` is SHA-256 (32 bytes) of all that stands before it."""
    return End(key.sign(_DOMAIN + digest))


def verify_file(digest: bytes, end: End, key: VerifyKey) -> None:
    """Check that the packer, whose key is `key`, signed the file. Raises ProtocolError("bad_signature")."""
    key.verify(end.signature or b"", _DOMAIN + digest)


def sizes_to_text(sizes: Sizes) -> str:
    """What a group holds as one line that people can carry. Raises ValueError for more than a line may hold."""
    data = b"".join(encode_bundle([sizes]))
    text = SIZES_PREFIX + base64.urlsafe_b64encode(data).decode().rstrip("=")
    if len(text) > SIZES_TEXT_CHARACTERS_MAX:
        raise ValueError(f"sizes of {len(sizes.feeds)} feeds do not fit a line")
    return text


def sizes_from_text(text: str) -> Sizes:
    """Read such a line. Raises ProtocolError malformed or too_large."""
    if len(text) > SIZES_TEXT_CHARACTERS_MAX:
        raise ProtocolError("too_large", "this line is too long to be sizes")
    encoded = text.removeprefix(SIZES_PREFIX)
    try:
        data = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = b""
    match decode_bundle(data, bytes_max=SIZES_TEXT_CHARACTERS_MAX):
        case [Sizes() as sizes, End()] if text.startswith(SIZES_PREFIX):
            return sizes
    raise ProtocolError("malformed", "this line is no sizes")
