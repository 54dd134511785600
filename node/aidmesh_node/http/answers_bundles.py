"""The JSON that is answered about files between groups, one struct each: what the API document says of them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from aidmesh_node.http.answers import Answer
from aidmesh_node.http.fields import CircleId, Count, FileId, Gid, SchemaVersion, Text, Time

SIZES = Meta(description="What somebody holds, as a line of text.", examples=["aidmesh-sizes:QUlETUVTSDEK"])
NEW = Meta(description="Entries that were not here before.", examples=[12])


class BundleSizes(Answer, frozen=True):
    """What we hold of a circle."""

    schema_version: SchemaVersion
    sizes: Annotated[str, SIZES]
    circle: CircleId


class BundlePacked(Answer, frozen=True):
    """A file that can be fetched. `next` is null when it holds all there is."""

    id: FileId
    bytes: Annotated[int, Meta(ge=0, examples=[5763])]
    entries: Count
    feeds: Count
    left: Annotated[Count, Meta(description="Entries that did not fit.")]
    next: Annotated[str, SIZES] | None
    unsigned: Annotated[
        Count, Meta(description="Entries of ours that may not leave yet, as no other group has shown what it saw last.")
    ]


class BundlePiece(Answer, frozen=True):
    """A piece of a file; `bytes` are those of the whole file."""

    schema_version: SchemaVersion
    at: Count
    data: Annotated[str, Meta(description="As base64.", examples=["QUlETUVTSFMxCg=="])]
    bytes: Annotated[int, Meta(ge=0, examples=[5763])]


class BundleHere(Answer, frozen=True):
    """So many bytes of the file are here."""

    id: FileId
    bytes: Annotated[int, Meta(ge=0, examples=[5763])]


class Packer(Answer, frozen=True):
    """Who packed a file, as it says; the signature tells whether that is so."""

    gid: Gid
    name: Text | None


class BundleFile(Answer, frozen=True):
    """A file as it was read."""

    bundle: Annotated[str, Meta(description="The file's own id.", examples=["3f1c9a7e5b2d4860a1c3e5f708192a3b"])]
    packed_by: Packer
    packed_at: Time
    signature: Annotated[
        Literal["signed", "unsigned", "unknown"],
        Meta(description="Whether the packer signed all of it; unknown for a file that was cut, or a packer."),
    ]
    feeds: Count
    whole: Annotated[bool, Meta(description="Read to its end.")]
    trouble: Annotated[str, Meta(description="Why not, in words.", examples=[""])]


class BundleInside(BundleFile, frozen=True, kw_only=True):
    """What is in a file."""

    entries: Count
    new: Annotated[Count, NEW]
    left: Annotated[Count, Meta(description="Entries that the packer put into other files.")]


class FileFault(Answer, frozen=True):
    """Something in the file was refused; the evidence is kept."""

    code: Annotated[str, Meta(examples=["proof_invalid"])]
    detail: Text


class BundleRead(BundleFile, frozen=True, kw_only=True):
    """What became of a file."""

    new: Annotated[Count, NEW]
    again: Annotated[bool, Meta(description="It was read before.")]
    kept: Annotated[bool, Meta(description="It goes on from more than is here, and is read by itself later.")]
    waiting: Annotated[Count, Meta(description="Files that wait so.")]
    refused: list[FileFault]
