"""Every bound of the protocol: a named constant, its unit last in the name, and the reason for its value.

A bound that is not here does not exist; raising one is a protocol change.
"""

# SPEC §2 canonical encoding
CANONICAL_INTEGER_MAX = 2**53
"""Largest magnitude of an integer: exact in JSON and JavaScript, where statements are shown."""
CANONICAL_DEPTH_MAX = 8
"""Arrays inside arrays. The deepest frame needs 5; recursion on a peer's bytes stays trivial."""
CANONICAL_ITEMS_MAX = 1_024
"""Items of one array: the largest lists, SIZES and WANT. Bounds what a length prefix can allocate."""
CANONICAL_BYTES_MAX = 64 * 1024
"""Bytes of one value unless the caller names another bound: a part with its key."""

# SPEC §3 keys
ADMITTED_KEYS_CACHED_MAX = 4_096
"""Admission costs about 2 ms in pure Python; a node meets a few keys per group, so this holds them all."""

# SPEC §6 Merkle tree
HASH_BYTES = 32
"""SHA-256."""
FEED_ENTRIES_MAX = 2**53
"""Entries of one feed: an index or size must be a canonical integer."""
TILE_HEIGHT = 8
"""Subtrees of 2**8 leaves and more are stored, smaller ones recomputed from leaves (as C2SP tlog-tiles)."""
PROOF_HASHES_MAX = 64
"""Hashes in one proof. A tree of FEED_ENTRIES_MAX leaves needs 54."""

# SPEC §7 checkpoints
CHECKPOINT_BYTES_MAX = 8 * 1024
"""Bytes of one signed note: 64 signature lines of short names, or about 35 of names as long as origins."""
CHECKPOINT_SIGNATURES_MAX = 64
"""Signature lines of one note; more would let a stranger make us parse without end."""
ORIGIN_BYTES_MAX = 200
"""Bytes of an origin line. Ours are shorter: aidmesh/ gid /c/ circle / generation is 108 and digits."""

# SPEC §9 feed extension
PACKAGE_ENTRIES_MAX = 256
"""Entries of one package, and the boundary at which packages end: one stored subtree of TILE_HEIGHT."""
PACKAGE_BYTES_MAX = 256 * 1024
"""Sum of the entry bytes of one package: 256 entries of 1,024 bytes."""

# SPEC §9.4 fork proofs
FORK_NOTE_BYTES_MAX = 640
"""Bytes of a note in a fork proof: an origin of 200 bytes twice, a size, a root and one signature."""
FORK_KEYS_MAX = 16
"""Entries that lead from a group id to the key that signed: the inception, and room for what rotations will add."""
FORK_FILE_BYTES_MAX = 8 * 1024 + 32
"""Bytes of a fork proof as a file: one FORK frame between the magic and END."""
HEADS_MAX = 32
"""Notes in one HEADS frame: each may cost its receiver a signature check. With many cosignatures fewer fit: the frame
is as long as what a node that does not know it skips."""
EXCHANGE_FORKS_MAX = 4
"""FORK frames of one exchange in one direction: each costs its receiver two signature checks and a key admission."""

# SPEC §5 entries, parts and statements
ENTRY_VERSION = 1
"""The entry format of aidmesh/1. Another version means another major: upgrade_required."""
ENTRY_BYTES_MAX = 1_024
"""Bytes of one entry: four parts and eight refs need 904; headers are what every peer keeps for ever."""
ENTRY_PARTS_MAX = 4
"""Parts of one entry: one per tag."""
ENTRY_REFS_MAX = 8
"""Entries one statement can answer."""
ENTRY_FLAGS_MAX = 0xFFFF
"""Flag bits of an entry: unknown bits are kept, so a later minor version can name them."""
STATEMENT_TYPE_BYTES_MAX = 48
"""Bytes of a statement type such as `need.share_revoked`."""
SCHEMA_MAX = 0xFFFF
"""Schema versions of one statement type."""
HOUR_MAX = 2**32
"""Hours since 1970: never a reason to refuse, so only the encoding is bounded."""
MINUTE_MAX = 2**32
"""Minutes since 1970: until the year 10136."""
INDEX_MAX = FEED_ENTRIES_MAX - 1
"""Index of an entry in its feed."""
PART_BUCKETS = (64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 61_440)
"""Padded lengths of part bodies: a length tells at most which bucket, so short texts look alike."""
PART_CONTENT_BYTES_MAX = PART_BUCKETS[-1] - 2
"""Bytes of a part's content: the largest bucket less its length prefix."""
PART_BYTES_MAX = PART_BUCKETS[-1] + 22
"""Bytes of a part: the largest body, a 16-byte key and five bytes of msgpack headers, within a PART frame."""
NAME_BYTES_MAX = 320
"""Bytes of a group's name: 80 characters of any script."""
ITEM_BYTES_MAX = 320
"""Bytes of an item's name, as in lists of real warehouses: 80 characters of any script."""
AREA_BYTES_MAX = 320
"""Bytes of a coarse area's name: 80 characters of any script."""
ENDPOINTS_MAX = 8
"""Addresses of one node: https, onion, LAN and spares."""
ENDPOINT_BYTES_MAX = 255
"""Bytes of one endpoint URL: the longest host name, and then some."""
PLEDGE_NUMBER_MAX = 0xFFFF
"""Revisions, acceptances and hand-overs of one pledge count from 1; no real pledge has a thousand."""
PLEDGE_DISPUTES_MAX = 16
"""Disputes one side can open about one pledge: beyond that the groups should talk, not write."""
ERASED_PARTS_MAX = 256
"""Parts that one statement erases: as many as holders rewrite in one short step; more need another statement."""
AMOUNT_TEXT_BYTES_MAX = 13
"""Bytes of a quantity: nine digits, a point and three decimals; 10**9 is the largest quantity."""

# SPEC §4 identity
GENERATION_MAX = 2**32
"""Rotations of a key and generations of a feed: one a second for a century."""
GROUP_ID_CHARACTERS = 32
"""Base32 characters of a group id: 160 bits of SHA-256."""

# SPEC §14 pairing, words and terms
CIRCLE_PARTIES_MAX = 64
"""Groups in one circle: larger federations are made of overlapping circles."""
TERMS_BYTES_MAX = 4_096
"""Bytes of terms: 64 parties need 2,200."""
TERMS_VERSION_MAX = 0xFFFF
"""Amendments of one circle's terms."""
NOTICE_DAYS_MAX = 365
"""Days of notice before a group leaves."""
PAIRING_WORDS = 4
"""Words both sides compare: 44 bits, of which a stranger gets one guess, since nonces are committed first."""
INVITATION_BYTES_MAX = 2_304
"""Characters of an invitation: eight of the longest endpoints fit, and so does a QR code of version 40."""
SECOND_MAX = 2**36
"""Seconds since 1970: until the year 4147."""
PAIRING_IDENT_BYTES_MAX = 600 * 1024
"""Bytes of the bundle that carries an identity feed while pairing: one IDENT frame with its HEAD."""
PAIRING_BYTES_MAX = 640 * 1024
"""Bytes of a pairing message: the identity bundle and a few hashes."""

# SPEC §8 bundles
FRAME_PAYLOADS_MAX = {
    "HEAD": 4 * 1024,
    "IDENT": 512 * 1024,
    "CHECKPOINT": CHECKPOINT_BYTES_MAX + 16,
    "PACKAGE": PACKAGE_BYTES_MAX + 4 * 1024,
    "PART": 64 * 1024,
    "HEADS": 64 * 1024,
    "FORK": 8 * 1024,
    "SIZES": 96 * 1024,
    "WANT": 64 * 1024,
    "INCLUSION": 4 * 1024,
    "ERASED": 64 * 1024,
    "MORE": 64,
    "END": 80,
    "ASK": 64,
    "COLUMN": 128 * 1024,
    "READS": 64,
}
"""Payload bytes of a frame, by kind, before compression: what the other bounds of its contents add up to."""
COLUMN_BYTES_MAX = 64 * 1024
"""Bytes of parts after which a sender begins another COLUMN frame: one more of the largest still fits."""
READS_MAX = 32
"""Kinds in one READS frame: more than minor versions will add."""
KIND_MAX = 127
"""Kinds of frames: one byte each."""
FRAME_BYTES_MAX = max(FRAME_PAYLOADS_MAX.values())
"""Bytes of any frame on the wire: known from its length, before anything of it is kept."""
UNKNOWN_FRAME_BYTES_MAX = 64 * 1024
"""Payload bytes of a frame of a kind this version does not know, which is skipped."""
UNKNOWN_FRAMES_MAX = 256
"""Unknown frames in one bundle."""
COMPRESSION_RATIO_MAX = 8
"""Payload bytes of a whole bundle per byte its receiver allows: our content compresses to a third at best."""
COMPRESSED_FRAME_BYTES_MIN = 128
"""Payload bytes below which a frame is not compressed: hashes and keys do not shrink."""
BUNDLE_BYTES_ONLINE_MAX = 32 * 1024 * 1024
"""Bytes of a bundle over a connection."""
BUNDLE_BYTES_FILE_MAX = 4 * 1024 * 1024 * 1024
"""Bytes of a bundle as a file."""
SYNC_BODY_BYTES_MAX = 1024 * 1024
"""Bytes of a sync request's body, which is signed whole."""
SYNC_CHECKPOINTS_MAX = 64
"""Checkpoints in one sync request, one of each feed: every one may cost its receiver a signature check."""
SIZES_MAX = 1_024
"""Feeds in one SIZES frame."""
WANT_MAX = 1_024
"""Missing parts and single entries in one WANT frame, together."""
IDENT_ENTRIES_MAX = 256
"""Entries of an identity feed in its one frame: a name, addresses and keys that change once a month."""
IDENT_PARTS_MAX = 512
"""Parts of an identity feed in its one frame."""
TTL_SECONDS_MAX = 366 * 24 * 3600
"""How long a bundle may ask to be carried."""
ASK_WAIT_SECONDS_MAX = 60
"""How long an answer may be held back until there is something new."""
SIZES_TEXT_CHARACTERS_MAX = 16 * 1024
"""Characters of SIZES as a line of text: the feeds of one circle of 64 need 13,000."""
SEALED_CHUNK_BYTES = 64 * 1024
"""Bytes of content in one sealed chunk, as in age: what a file that was cut may lose."""
SEALED_CONTENT_BYTES_MIN = 4 * 1024
"""Bytes to which the content of a sealed file is padded at least: little news looks like none, and costs a few
seconds on the slowest line."""
SEALED_SLOTS = (8, 16, 32, 64)
"""Numbers of slots for wrapped keys in a sealed file; those nobody needs are filled, so circles look alike."""

# SPEC §10 requests
CLOCK_SKEW_SECONDS_MAX = 300
"""How far a request's `created` may be from our clock, either way."""
NONCE_SECONDS_KEPT = 600
"""How long a nonce is remembered: twice the skew, so that what is forgotten is refused by its time."""
NONCE_CHARACTERS_MIN = 16
"""Characters of a request's nonce: 96 bits as base64url."""
NONCE_CHARACTERS_MAX = 160
"""Characters of a request's nonce: one that a server issued carries a MAC and an end."""
SIGNATURE_HEADER_BYTES_MAX = 1_024
"""Bytes of each of the four headers a signature needs."""
REQUEST_TARGET_BYTES_MAX = 2_048
"""Bytes of path and query of a signed request."""
