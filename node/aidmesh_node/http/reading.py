"""What the rim asks of the views: to reach a position, what a few typed characters mean, whose token it is.

Never decides a right, never changes anything.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from aiohttp import web

from aidmesh_node.application.node import Node
from aidmesh_node.http.auth import TokenHolder
from aidmesh_node.http.bodies import Audience
from aidmesh_node.http.problems import RETRY_AFTER, Problem, bad_field, not_found
from aidmesh_node.views import circles, members, peers
from aidmesh_node.views.resolve import PREFIX_CHARACTERS_MIN, Found, resolve

POSITION_HEADER = "Aidmesh-Position"
POSITION_DIGITS_MAX = 18
NOW = "now"
"""Said instead of a position by who comes after somebody whose answer they have not seen."""

VIEWS_WAIT_SECONDS = 1.0

ID_CHARACTERS = 32
_HEX_DIGITS = frozenset("0123456789abcdef")


class Reads:
    """The views of one node, and the log they follow: what is not found is looked for again once they are up."""

    def __init__(self, node: Node) -> None:
        self._views = node.views
        self._readers = node.readers

    async def reached(self, position: int) -> None:
        """Return when the views show `position`. Raises Problem 503 `views_behind` after a second."""
        if not await self._views.wait(position, VIEWS_WAIT_SECONDS):
            raise Problem(
                503,
                "views_behind",
                "What was just written is safe, but the lists do not show it yet.",
                "Ask again in a moment.",
                headers=RETRY_AFTER,
            )

    async def caught_up(self) -> None:
        """Return when the views show everything that is durable now. Raises Problem 503 `views_behind`."""
        await self.reached(await self._durable())

    async def _durable(self) -> int:
        """The newest position of the log."""
        return await self._readers.run(lambda reading: reading.events.max_position())

    async def wanted(self, request: web.Request) -> None:
        """Wait for the position the caller names. Raises Problem 400 if it is none, or none that this node ever told;
        503 after too long. For `now` wait for all that is durable, and answer with what there is after too long."""
        for text in (request.headers.get(POSITION_HEADER), request.query.get("after")):
            if text is None:
                continue
            if text == NOW:
                await self._views.wait(await self._durable(), VIEWS_WAIT_SECONDS)
                continue
            if not text.isascii() or not text.isdigit() or len(text) > POSITION_DIGITS_MAX:
                raise bad_field(POSITION_HEADER, "Expected a position as given in an answer")
            position = int(text)
            if position > self._views.position and position > (durable := await self._durable()):
                # After a backup was restored; waiting would not help.
                raise Problem(
                    400,
                    "unknown_position",
                    f"This node has not come as far as {position}: its newest position is {durable}.",
                    "Ask without a position, or for: now.",
                )
            await self.reached(position)

    async def holder(self, token_hash: bytes) -> TokenHolder | None:
        """The joined member whose token has this hash."""
        found = await self._views.query(members.by_token_hash, token_hash)
        return None if found is None or found.revoked else TokenHolder(token_hash, found.member, found.role)

    async def invited(self, secret_hash: bytes) -> UUID | None:
        """The member whose invitation has this hash."""
        found = await self._views.query(members.by_invitation_hash, secret_hash)
        if found is None:
            await self.caught_up()
            found = await self._views.query(members.by_invitation_hash, secret_hash)
        return found

    async def find(self, text: str, kind: str) -> Found:
        """The one thing of `kind` whose id starts with `text`. Raises Problem 404, or 409 `ambiguous_id`."""
        found = await self._views.query(resolve, text, kind)
        if not found:
            await self.caught_up()
            found = await self._views.query(resolve, text, kind)
        if not found:
            raise not_found()
        if len({(one.id, one.ours) for one in found}) > 1:
            raise Problem(
                409,
                "ambiguous_id",
                f"More than one {kind} begins with these characters.",
                f"Write more of the id, up to all {ID_CHARACTERS} characters.",
            )
        return found[0]

    def whole_id(self, text: str) -> UUID | None:
        """The id that `text` is, all of it; None when it is only the beginning of one, or none at all."""
        return UUID(text) if len(text) == ID_CHARACTERS and _HEX_DIGITS.issuperset(text) else None

    async def own_id(self, text: str, kind: str) -> UUID:
        """The id of our own thing that `text` means. A whole id is believed: the application knows its own.

        Raises Problem 404, 409 `ambiguous_id` and 409 `not_ours`.
        """
        whole = self.whole_id(text)
        if whole is not None:
            return whole
        found = await self.find(text, kind)
        if not found.ours:
            raise Problem(
                409,
                "not_ours",
                f"This {kind} belongs to another group; only they can change it.",
                "To help, pledge towards it; else talk to them.",
            )
        return UUID(found.id)

    async def link(self, text: str) -> dict[str, Any]:
        """The link with the group that `text` means: a gid, a name, or the beginning of one.

        Raises Problem 404, or 409 `ambiguous_id`.
        """
        found = await self._views.query(peers.find, text)
        if not found:
            await self.caught_up()
            found = await self._views.query(peers.find, text)
        if not found:
            raise not_found()
        if len(found) > 1:
            raise Problem(
                409, "ambiguous_id", "More than one group goes by this name.", "Write the whole id of the group."
            )
        return found[0]

    async def circle(self, audience: Audience, *, ended: bool = False) -> bytes:
        """The circle an audience means: by id, by peer, or the only one. `ended` ones count only where said.

        Raises Problem 409 `ambiguous_circle` or 422 `no_circle`.
        """
        known = await self._views.query(circles.list_all, None if ended else "active")
        if not known:
            await self.caught_up()
            known = await self._views.query(circles.list_all, None if ended else "active")
        if audience.circle is not None and audience.peer is not None:
            raise Problem(422, "circle_and_peer", "A circle and a peer are both named.", "Name one of them.")
        if audience.circle is not None:
            wanted = audience.circle.strip().lower()
            if len(wanted) >= PREFIX_CHARACTERS_MIN:
                known = [circle for circle in known if circle["id"].startswith(wanted)]
            else:
                known = []
        elif audience.peer is not None:
            gids = {link["gid"] for link in await self._views.query(peers.find, audience.peer)}
            if len(gids) > 1:
                raise _ambiguous_circle("More than one group goes by this name.")
            known = [circle for circle in known if any(peer["gid"] in gids for peer in circle["peers"])]
        if not known:
            whom = "any group yet" if audience.circle is None and audience.peer is None else "that group"
            raise Problem(
                422,
                "no_circle",
                f"Your group is not connected with {whom}.",
                "See: aidmesh peer list. Two groups are connected once both have confirmed the four words.",
            )
        if len(known) > 1:
            raise _ambiguous_circle("Your group is connected with more than one group.")
        return bytes.fromhex(known[0]["id"])


def _ambiguous_circle(detail: str) -> Problem:
    return Problem(409, "ambiguous_circle", detail, "Name the circle by its id, or the peer by its whole name or id.")
