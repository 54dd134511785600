"""The tables beside the library's own, schema version 3. Feeds are primary data: rows here are never
rebuilt."""

from __future__ import annotations

SCHEMA_VERSION = 3
APPLICATION_ID = 0x41494D31  # "AIM1": says whose file this is to anyone who finds it

PACKAGES = (
    """CREATE TABLE feed_packages (
        feed INTEGER NOT NULL, start INTEGER NOT NULL, entries BLOB NOT NULL, leaves BLOB NOT NULL,
        PRIMARY KEY (feed, start)) WITHOUT ROWID""",
    """CREATE TABLE feed_columns (
        feed INTEGER NOT NULL, start INTEGER NOT NULL, tag TEXT NOT NULL, parts BLOB NOT NULL,
        PRIMARY KEY (feed, start, tag)) WITHOUT ROWID""",
)

ERASURES = (
    """CREATE TABLE erased_parts (
        origin_hash BLOB NOT NULL, idx INTEGER NOT NULL, tag TEXT NOT NULL,
        PRIMARY KEY (origin_hash, idx, tag)) WITHOUT ROWID""",
    """CREATE TABLE erasures (
        feed INTEGER NOT NULL, idx INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (feed, idx)) WITHOUT ROWID""",
    """CREATE TABLE erasure_receipts (
        feed INTEGER NOT NULL, idx INTEGER NOT NULL, peer TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (feed, idx, peer)) WITHOUT ROWID""",
    "CREATE TABLE erased_things (thing TEXT PRIMARY KEY) WITHOUT ROWID",
    """CREATE TABLE disclosures (
        feed INTEGER NOT NULL, peer TEXT NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (feed, peer, start)) WITHOUT ROWID""",
)

THING_OF_ANSWER = "CREATE INDEX idempotency_by_thing ON idempotency (thing) WHERE thing IS NOT NULL"

UPGRADES = {
    1: PACKAGES,
    2: (
        *ERASURES,
        "ALTER TABLE idempotency ADD COLUMN thing TEXT",
        THING_OF_ANSWER,
        "ALTER TABLE evidence ADD COLUMN stripped INTEGER NOT NULL DEFAULT 0",
    ),
}
"""By version, what brings a database to the next."""

TABLES = (
    "CREATE TABLE metadata (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    """CREATE TABLE feeds (
        feed INTEGER PRIMARY KEY,
        origin TEXT NOT NULL UNIQUE,
        origin_hash BLOB NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        circle BLOB,
        generation INTEGER NOT NULL,
        size INTEGER NOT NULL DEFAULT 0,
        frontier BLOB NOT NULL,
        checkpoint BLOB,
        signed_size INTEGER NOT NULL DEFAULT 0,
        claimed BLOB,
        claimed_size INTEGER NOT NULL DEFAULT 0,
        folded INTEGER NOT NULL DEFAULT 0,
        frozen TEXT)""",
    """CREATE TABLE feed_entries (
        feed INTEGER NOT NULL, idx INTEGER NOT NULL, entry BLOB NOT NULL, leaf BLOB NOT NULL,
        PRIMARY KEY (feed, idx)) WITHOUT ROWID""",
    """CREATE TABLE feed_parts (
        feed INTEGER NOT NULL, idx INTEGER NOT NULL, tag TEXT NOT NULL, part BLOB NOT NULL,
        withheld INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (feed, idx, tag)) WITHOUT ROWID""",
    *PACKAGES,
    *ERASURES,
    """CREATE TABLE feed_nodes (
        feed INTEGER NOT NULL, level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL,
        PRIMARY KEY (feed, level, idx)) WITHOUT ROWID""",
    """CREATE TABLE feed_statements (
        feed INTEGER NOT NULL, statement_id BLOB NOT NULL, idx INTEGER NOT NULL,
        PRIMARY KEY (feed, statement_id)) WITHOUT ROWID""",
    """CREATE TABLE subjects (
        circle BLOB NOT NULL, subject_id BLOB NOT NULL, kind TEXT NOT NULL, aggregate_id TEXT NOT NULL,
        PRIMARY KEY (circle, subject_id)) WITHOUT ROWID""",
    "CREATE INDEX subjects_by_aggregate ON subjects (aggregate_id)",
    "CREATE TABLE positions (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE idempotency (
        key_hash BLOB PRIMARY KEY, request_hash BLOB NOT NULL, sealed BLOB NOT NULL, at INTEGER NOT NULL,
        thing TEXT) WITHOUT ROWID""",
    THING_OF_ANSWER,
    "CREATE INDEX idempotency_by_time ON idempotency (at)",
    """CREATE TABLE evidence (
        id INTEGER PRIMARY KEY, feed INTEGER REFERENCES feeds (feed), peer TEXT NOT NULL, code TEXT NOT NULL,
        detail TEXT NOT NULL, blobs BLOB NOT NULL, at INTEGER NOT NULL,
        stripped INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX evidence_by_peer ON evidence (peer, id)",
    """CREATE TABLE evidence_counts (
        peer TEXT NOT NULL, code TEXT NOT NULL, seen INTEGER NOT NULL,
        PRIMARY KEY (peer, code)) WITHOUT ROWID""",
    """CREATE TABLE vault (
        person BLOB NOT NULL, record BLOB NOT NULL, field TEXT NOT NULL,
        nonce BLOB NOT NULL, ciphertext BLOB NOT NULL,
        PRIMARY KEY (person, record, field)) WITHOUT ROWID""",
)
