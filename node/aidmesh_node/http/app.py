"""Every route of the node in one table, and the application that serves it.

A route cannot be written without the lowest role that opens it; what is not in the table is not there.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from aidmesh_node.application.node import Node
from aidmesh_node.http import (
    board,
    bundles,
    disputes,
    erasing,
    events,
    forks,
    imports,
    members,
    need_care,
    needs,
    offer_care,
    offers,
    peers_api,
    pledges,
    recovery,
    reference,
    settling,
    status,
)
from aidmesh_node.http.auth import Door, Role
from aidmesh_node.http.call import Call, Desk, read_body
from aidmesh_node.http.dry_run import is_dry_run
from aidmesh_node.http.etag import IF_MATCH, versions_wanted
from aidmesh_node.http.federation_routes import PEER_ROUTES, PeerHandler
from aidmesh_node.http.hosts import Hosts
from aidmesh_node.http.idempotency import Repeats, once
from aidmesh_node.http.limits import Limits
from aidmesh_node.http.live import LIVE, Live
from aidmesh_node.http.operation import Operation
from aidmesh_node.http.problems import bad_field, rim
from aidmesh_node.http.reading import Reads
from aidmesh_node.http.sources import SOURCES

API: Final = "/api/v1"

BODY_BYTES_MAX: Final = 64 * 1024
"""No form of ours comes near; sixteen of them a second from every member still fit a small machine."""

IMPORT_BYTES_MAX: Final = 16 * 1024 * 1024
"""The largest spreadsheets seen in relief work are a few MiB as CSV."""

KEEPALIVE_SECONDS: Final = 75.0
"""An idle connection, and one whose header never gets complete, is closed after this."""

HEADER_BYTES_MAX: Final = 8190


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table. `role` is the lowest that opens it; rights on objects are the application's."""

    method: str
    path: str
    role: Role
    handler: Operation
    body_bytes_max: int = BODY_BYTES_MAX


ROUTES: Final = (
    Route("GET", "/healthz", Role.ANYONE, status.healthz),
    Route("GET", "/readyz", Role.ANYONE, status.readyz),
    Route("GET", f"{API}/status", Role.MEMBER, status.show_status),
    Route("GET", f"{API}/config", Role.OPERATOR, status.show_config),
    Route("POST", f"{API}/verify", Role.OPERATOR, status.verify),
    Route("GET", f"{API}/recovery", Role.COORDINATOR, recovery.show_recovery),
    Route("POST", f"{API}/recovery/override", Role.OPERATOR, recovery.override_recovery),
    Route("POST", f"{API}/recovery/tasks/{{number}}/done", Role.COORDINATOR, recovery.finish_task),
    Route("POST", f"{API}/needs", Role.MEMBER, needs.post_need),
    Route("GET", f"{API}/needs", Role.MEMBER, needs.list_needs),
    Route("GET", f"{API}/needs/{{id}}", Role.MEMBER, needs.show_need),
    Route("POST", f"{API}/needs/{{id}}/share", Role.COORDINATOR, needs.share_need),
    Route("POST", f"{API}/needs/{{id}}/unshare", Role.COORDINATOR, needs.unshare_need),
    Route("POST", f"{API}/needs/{{id}}/erase", Role.MEMBER, erasing.erase_need),
    Route("POST", f"{API}/needs/{{id}}/withdraw", Role.MEMBER, needs.withdraw_need),
    Route("POST", f"{API}/needs/{{id}}/close", Role.COORDINATOR, needs.close_need),
    Route("POST", f"{API}/needs/{{id}}/reopen", Role.MEMBER, need_care.reopen_need),
    Route("POST", f"{API}/needs/{{id}}/review", Role.MEMBER, need_care.review_need),
    Route("POST", f"{API}/needs/{{id}}/contact-attempt", Role.MEMBER, need_care.record_contact),
    Route("POST", f"{API}/needs/{{id}}/extend", Role.MEMBER, need_care.extend_need),
    Route("POST", f"{API}/needs/{{id}}/amend", Role.MEMBER, need_care.amend_need),
    Route("POST", f"{API}/needs/{{id}}/urgency", Role.MEMBER, need_care.change_urgency),
    Route("POST", f"{API}/needs/{{id}}/share-wider", Role.COORDINATOR, need_care.share_wider),
    Route("GET", f"{API}/emergency-advice", Role.MEMBER, need_care.show_emergency_advice),
    Route("POST", f"{API}/offers", Role.MEMBER, offers.post_offer),
    Route("GET", f"{API}/offers", Role.MEMBER, offers.list_offers),
    Route("GET", f"{API}/offers/{{id}}", Role.MEMBER, offers.show_offer),
    Route("POST", f"{API}/offers/{{id}}/share", Role.COORDINATOR, offers.share_offer),
    Route("POST", f"{API}/offers/{{id}}/unshare", Role.COORDINATOR, offers.unshare_offer),
    Route("POST", f"{API}/offers/{{id}}/erase", Role.MEMBER, erasing.erase_offer),
    Route("POST", f"{API}/offers/{{id}}/withdraw", Role.MEMBER, offers.withdraw_offer),
    Route("POST", f"{API}/offers/{{id}}/confirm", Role.MEMBER, offer_care.confirm_offer),
    Route("POST", f"{API}/offers/{{id}}/extend", Role.MEMBER, offer_care.extend_offer),
    Route("POST", f"{API}/offers/{{id}}/reopen", Role.MEMBER, offer_care.reopen_offer),
    Route("POST", f"{API}/offers/{{id}}/close", Role.MEMBER, offer_care.close_offer),
    Route("POST", f"{API}/pledges", Role.MEMBER, pledges.offer_pledge),
    Route("GET", f"{API}/pledges", Role.MEMBER, pledges.list_pledges),
    Route("GET", f"{API}/pledges/{{id}}", Role.MEMBER, pledges.show_pledge),
    Route("POST", f"{API}/pledges/{{id}}/revise", Role.MEMBER, pledges.revise_pledge),
    Route("POST", f"{API}/pledges/{{id}}/commit", Role.MEMBER, pledges.commit_pledge),
    Route("POST", f"{API}/pledges/{{id}}/withdraw", Role.MEMBER, pledges.withdraw_pledge),
    Route("POST", f"{API}/pledges/{{id}}/hand-over", Role.MEMBER, pledges.hand_over),
    Route("POST", f"{API}/pledges/{{id}}/counter", Role.MEMBER, pledges.counter_pledge),
    Route("POST", f"{API}/pledges/{{id}}/accept", Role.MEMBER, pledges.accept_pledge),
    Route("POST", f"{API}/pledges/{{id}}/decline", Role.MEMBER, pledges.decline_pledge),
    Route("POST", f"{API}/pledges/{{id}}/release", Role.MEMBER, pledges.release_pledge),
    Route("POST", f"{API}/pledges/{{id}}/receive", Role.MEMBER, pledges.receive_pledge),
    Route("POST", f"{API}/pledges/{{id}}/ask", Role.MEMBER, settling.ask_receipt),
    Route("POST", f"{API}/pledges/{{id}}/presume", Role.COORDINATOR, settling.presume_receipt),
    Route("POST", f"{API}/pledges/{{id}}/correct", Role.MEMBER, settling.correct_pledge),
    Route("POST", f"{API}/pledges/{{id}}/leave", Role.MEMBER, settling.leave_discrepancy),
    Route("POST", f"{API}/pledges/{{id}}/disputes", Role.MEMBER, disputes.open_dispute),
    Route("GET", f"{API}/disputes", Role.COORDINATOR, disputes.list_disputes),
    Route("GET", f"{API}/disputes/{{id}}", Role.COORDINATOR, disputes.show_dispute),
    Route("POST", f"{API}/disputes/{{id}}/add", Role.MEMBER, disputes.add_statement),
    Route("POST", f"{API}/disputes/{{id}}/resolve", Role.COORDINATOR, disputes.resolve_dispute),
    Route("GET", f"{API}/board", Role.MEMBER, board.show_board),
    Route("GET", f"{API}/suggestions", Role.COORDINATOR, board.list_suggestions),
    Route("POST", f"{API}/imports", Role.COORDINATOR, imports.import_files, IMPORT_BYTES_MAX),
    Route("POST", f"{API}/join", Role.ANYONE, members.join),
    Route("POST", f"{API}/members", Role.COORDINATOR, members.invite_member),
    Route("GET", f"{API}/members", Role.MEMBER, members.list_members),
    Route("GET", f"{API}/members/{{id}}", Role.MEMBER, members.show_member),
    Route("POST", f"{API}/members/{{id}}/role", Role.OPERATOR, members.change_role),
    Route("POST", f"{API}/members/{{id}}/revoke", Role.OPERATOR, members.revoke_member),
    Route("POST", f"{API}/members/{{id}}/forget", Role.COORDINATOR, erasing.forget_member),
    Route("GET", f"{API}/erasures", Role.COORDINATOR, erasing.list_erasures),
    Route("POST", f"{API}/peers/invitations", Role.OPERATOR, peers_api.invite_peer),
    Route("POST", f"{API}/peers", Role.OPERATOR, peers_api.accept_peer),
    Route("POST", f"{API}/peers/{{gid}}/confirm", Role.OPERATOR, peers_api.confirm_peer),
    Route("GET", f"{API}/peers", Role.MEMBER, peers_api.list_peers),
    Route("GET", f"{API}/peers/{{gid}}", Role.MEMBER, peers_api.show_peer),
    Route("GET", f"{API}/forks", Role.MEMBER, forks.list_forks),
    Route("GET", f"{API}/forks/{{id}}", Role.MEMBER, forks.show_fork),
    Route("POST", f"{API}/forks/{{id}}/resolve", Role.OPERATOR, forks.resolve_fork),
    Route("GET", f"{API}/circles", Role.MEMBER, peers_api.list_circles),
    Route("GET", f"{API}/bundle-sizes", Role.COORDINATOR, bundles.show_sizes),
    Route("POST", f"{API}/bundles", Role.COORDINATOR, bundles.pack_bundle),
    Route("GET", f"{API}/bundle-pieces", Role.COORDINATOR, bundles.fetch_piece),
    Route("POST", f"{API}/bundle-pieces", Role.COORDINATOR, bundles.bring_piece, bundles.BODY_BYTES_MAX),
    Route("POST", f"{API}/bundles/inspect", Role.COORDINATOR, bundles.inspect_bundle),
    Route("POST", f"{API}/bundles/read", Role.COORDINATOR, bundles.read_bundle),
    Route("GET", f"{API}/events", Role.MEMBER, events.follow_changes),
    Route("GET", reference.DOCUMENT_PATH, Role.ANYONE, reference.show_document),
    Route("GET", reference.PAGE_PATH, Role.ANYONE, reference.show_page),
)


def build_app(node: Node) -> web.Application:
    """The whole of the node's HTTP, not yet listening."""
    hosts = Hosts(node.config.host, node.config.node.url)
    app = web.Application(middlewares=[rim(hosts.check, node.entropy)], logger=_wire_log())
    reads, limits = Reads(node), Limits(node)
    desk = Desk(node, Door(reads), reads, Repeats(), limits)
    app[SOURCES] = limits.sources
    app[LIVE] = Live(node.views)
    app.on_shutdown.append(_end_streams)
    for route in ROUTES:
        serve = _command if route.method == "POST" else _question
        app.router.add_route(route.method, route.path, serve(desk, route))
    for method, path, handler in PEER_ROUTES:
        app.router.add_route(method, path, _door(node, handler))
    return app


async def _end_streams(app: web.Application) -> None:
    app[LIVE].close()


def build_runner(node: Node) -> web.AppRunner:
    """The server around `build_app`. No access log: addresses and paths say who asked for what."""
    return web.AppRunner(
        build_app(node),
        access_log=None,
        logger=_wire_log(),
        keepalive_timeout=KEEPALIVE_SECONDS,
        auto_decompress=False,
        max_line_size=HEADER_BYTES_MAX,
        max_field_size=HEADER_BYTES_MAX,
        handle_signals=False,
    )


def _command(desk: Desk, route: Route) -> Handler:
    serve = route.handler.serve

    async def handle(request: web.Request) -> web.StreamResponse:
        caller = await desk.admit(request, route.role)
        if request.query_string:
            raise bad_field("query", "A POST takes no query parameters")
        dry_run = is_dry_run(request)
        body = await read_body(request, route.body_bytes_max)
        versions = versions_wanted(request)
        if versions is not None and "{" not in route.path:
            raise bad_field(IF_MATCH, "Only a request about one thing can depend on its version")
        # Strangers share no account: their keys are kept apart by what they send.
        actor = caller.actor.hex if caller.actor is not None else hashlib.sha256(body).hexdigest()
        answer = serve(Call(desk, request, caller, body, once(request, actor, body), versions, dry_run=dry_run))
        return await (answer if caller.actor is not None else desk.limits.attempt(request, answer))

    return handle


def _question(desk: Desk, route: Route) -> Handler:
    serve = route.handler.serve

    async def handle(request: web.Request) -> web.StreamResponse:
        caller = await desk.admit(request, route.role)
        await desk.reads.wanted(request)
        return await serve(Call(desk, request, caller))

    return handle


def _door(node: Node, handler: PeerHandler) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await handler(node.peers, request)

    return handle


class _WireFilter(logging.Filter):
    """The server logs a broken request with its bytes, which may hold a token: keep only that it happened.

    Somebody who hung up before the answer, as a peer that stops does with its held pull, is no error.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], ConnectionError):
            return False
        record.msg, record.args, record.exc_info = "a client sent a request that is not HTTP", (), None
        return True


def _wire_log() -> logging.Logger:
    log = logging.getLogger("aidmesh.http.wire")
    if not log.filters:
        log.addFilter(_WireFilter())
    return log
