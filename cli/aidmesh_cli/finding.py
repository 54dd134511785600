"""From what somebody types to one thing: the beginning of its id, or its name where only one thing goes by it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from aidmesh_cli.client import Document, segment
from aidmesh_cli.phrases import amount, counted, short, thing
from aidmesh_cli.problems import CONFLICT, NOT_FOUND, Answered, Failed
from aidmesh_cli.session import Session

ID_CHARACTERS_MIN: Final = 6
"""What the API takes for the beginning of an id."""
ID_CHARACTERS: Final = 32
LISTED_MAX: Final = 500

_HEX: Final = frozenset("0123456789abcdef")

Items = list[Any]


def is_id(text: str) -> bool:
    """Whether `text` is an id or the beginning of one, rather than a name."""
    return ID_CHARACTERS_MIN <= len(text) <= ID_CHARACTERS and _HEX.issuperset(text.lower())


def open_need(session: Session, text: str) -> str:
    """The id of a need on the board, anybody's."""
    if is_id(text):
        return text.lower()
    return _only(session, "need", text, lambda: _items(session, "/board", "needs", item=text))


def own_need(session: Session, text: str) -> str:
    """The id of an open need of ours."""
    if is_id(text):
        return text.lower()
    return _only(session, "need", text, lambda: _items(session, "/needs", ours="true", state="open"))


def closed_need(session: Session, text: str) -> str:
    """The id of a closed need of ours."""
    if is_id(text):
        return text.lower()
    return _only(session, "need", text, lambda: _items(session, "/needs", ours="true", state="closed"))


def own_offer(session: Session, text: str) -> str:
    """The id of an open offer of ours."""
    if is_id(text):
        return text.lower()
    return _only(session, "offer", text, lambda: _items(session, "/offers", ours="true", state="open"))


def closed_offer(session: Session, text: str) -> str:
    """The id of a closed offer of ours."""
    if is_id(text):
        return text.lower()
    return _only(session, "offer", text, lambda: _items(session, "/offers", ours="true", state="closed"))


def any_of(session: Session, kind: str, text: str) -> str:
    """The id of a need, offer or pledge, ours or not, in whatever state."""
    if is_id(text):
        return text.lower()
    return _only(session, kind, text, lambda: _items(session, f"/{kind}s"))


def pledge_in(session: Session, text: str, roles: Collection[str], phases: Collection[str]) -> str:
    """The id of a pledge of ours in one of `phases`; with --wait, once it is there."""

    def fits(pledge: Mapping[str, Any]) -> bool:
        return pledge.get("role") in roles and pledge.get("phase") in phases

    if not is_id(text):
        return _only(session, "pledge", text, lambda: [one for one in _items(session, "/pledges") if fits(one)])
    if session.wait_seconds:
        session.until(lambda: _seen(session, text.lower()), lambda pledge: pledge is not None and fits(pledge))
    return text.lower()


def peer(session: Session, text: str) -> Document:
    """A group we have a link with, by name or group id, or the beginning of one."""

    def look() -> Items:
        wanted = text.strip().casefold()
        known: Items = session.get("/peers").get("items", [])
        for alike in (str.__eq__, str.startswith):
            found = [
                one
                for one in known
                if alike(str(one.get("gid")), wanted) or alike(str(one.get("name") or "").casefold(), wanted)
            ]
            if found:
                return found
        return []

    found = session.until(look, bool)
    if not found:
        raise Failed(NOT_FOUND, f"No group goes by “{text}”.", "Look how it is written.", then="peer list")
    if len(found) > 1:
        names = ", ".join(f"{one.get('name')} ({short(one.get('gid'))})" for one in found)
        raise Failed(CONFLICT, f"“{text}” can mean {names}.", "Write more of the name or of the id.", then="peer list")
    return found[0]


def circle(session: Session, text: str) -> Document:
    """A circle in force, by the beginning of its id or by a group in it."""
    wanted = text.strip().casefold()

    def look() -> Items:
        known = [one for one in session.get("/circles").get("items", []) if one.get("state") == "active"]
        if is_id(wanted) and (found := [one for one in known if str(one["id"]).startswith(wanted)]):
            return found
        for alike in (str.__eq__, str.startswith):
            if found := [one for one in known if any(alike(name, wanted) for name in _names_in(one))]:
                return found
        return []

    found = session.until(look, bool)
    if not found:
        raise Failed(
            NOT_FOUND, f"No circle goes by “{text}”.", "Name a group that you are linked with.", then="peer list"
        )
    if len(found) > 1:
        raise Failed(CONFLICT, f"“{text}” can mean {len(found)} circles.", "Write more of it.", then="peer list")
    return found[0]


def _names_in(circle: Mapping[str, Any]) -> list[str]:
    """What a circle goes by: the names and group ids of its groups."""
    return [str(peer[part]).casefold() for peer in circle["peers"] for part in ("name", "gid") if peer.get(part)]


def _seen(session: Session, identity: str) -> Document | None:
    try:
        return session.get(f"/pledges/{segment(identity)}")
    except Answered as problem:
        if problem.exit_code == NOT_FOUND:
            return None
        raise


def _items(session: Session, path: str, name: str = "items", **params: str) -> Items:
    if path != "/board":
        params["limit"] = str(LISTED_MAX)
    items: Items = session.get(path, params).get(name, [])
    return items


def _only(session: Session, kind: str, text: str, look: Callable[[], Items]) -> str:
    name = _folded(text)

    def named() -> Items:
        return [one for one in look() if _folded(thing(one)) == name]

    found = session.until(named, bool)
    if len(found) == 1:
        return str(found[0]["id"])
    if not found:
        raise Failed(
            NOT_FOUND,
            f"There is no {kind} called “{text}” with which that can be done now.",
            "Look how it is written. News of another group can take a moment: --wait 10",
            then=f"{kind} list",
        )
    places = [(short(one["id"]), _described(one), "") for one in found]
    raise Failed(
        CONFLICT,
        f"{counted(len(found), kind)} go by the name “{text}”.",
        "Say which one: write the beginning of its id instead.",
        then=f"{kind} list",
        places=places,
    )


def _described(one: Mapping[str, Any]) -> str:
    whose = one.get("group_name") or one.get("peer_name") or "our group"
    return f"{amount(one.get('quantity', one.get('offered')), one.get('unit'))}, {whose}"


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
