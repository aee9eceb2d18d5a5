"""Pages of deals: board, list, one deal, products."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, abort, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from kehu.core import context, db
from kehu.core.i18n import _, _l
from kehu.deals import board, moves, settings_views
from kehu.deals.page import show_deal
from kehu.web.access import needs
from kehu.web.records import RecordPages, Tab, filtering, query, where_text
from kehu.web.render import render_page
from kehu.web.shell import NavItem, shell_of

blueprint = Blueprint("deals", __name__)
blueprint.register_blueprint(settings_views.blueprint)
SHAPE_COOKIE = "kehu_deals"
OF_THE_BOARD = frozenset({"stage_id", "pipeline_id", "status"})
"""Filters that the board's columns make needless."""
_YEAR = 60 * 60 * 24 * 365


def _list_context() -> dict[str, Any]:
    args = query.filters_only(query.of_request())
    return {"board_url": query.list_url("deals/board", args)}


DEALS = RecordPages(
    "deals",
    note="customer_id",
    picture=False,
    phone=("amount", "stage_id"),
    chips=("owner_id", "stage_id"),
    tabs=(
        Tab("open", _l("Open"), "status=open"),
        Tab("mine", _l("My open deals"), "status=open&owner_id=me"),
        Tab("won", _l("Won"), "status=won"),
        Tab("lost", _l("Lost"), "status=lost"),
    ),
    nav=False,
    create_key="c d",
    list_template="deals/list.html",
    list_context=_list_context,
    detail=show_deal,
)
DEALS.register(blueprint)

PRODUCTS = RecordPages(
    "products",
    note="",
    picture=False,
    phone=("price", "series"),
    chips=("series",),
    nav=False,
    section="settings",
    purpose=_l("What you sell, with prices: for the lines of deals, and what customers then own."),
)
PRODUCTS.register(blueprint)


@blueprint.get("/deals/board")
@needs("deals:read")
def show_board() -> ResponseReturnValue:
    """Show the pipeline as a board, filtered like the list."""
    args = query.of_request()
    found = board.read_board(db.session(), args, context.actor())
    filters = query.filters_only({key: value for key, value in args.items() if key != "pipeline"})
    chips = [chip for chip in filtering.chips(DEALS, filters) if chip.on or chip.key not in OF_THE_BOARD]
    response = render_page(
        "deals/board.html",
        {"board": "answer"},
        board=found,
        open_text=board.open_deals_text(found.open_count),
        args=args,
        filtered=bool(filters),
        pipeline_given="pipeline" in args,
        chips=chips,
        where=where_text.shown(DEALS.type, filters),
        board_url=query.list_url("deals/board", args),
        list_url=query.list_url("deals", filters),
        more_query=_more_query(args),
    )
    if request.headers.get("HX-Source", "").endswith("#list-filters"):
        response.headers["HX-Replace-Url"] = query.list_url("deals/board", args)
    response.set_cookie(SHAPE_COOKIE, "board", max_age=_YEAR, samesite="Lax", secure=request.is_secure)
    return response


def _more_query(args: Mapping[str, str]) -> str:
    text = query.write({key: value for key, value in args.items() if key != "pipeline"})
    return f"{text}&" if text else ""


@blueprint.get("/deals/board/more/<uuid:stage_id>")
@needs("deals:read")
def more(stage_id: uuid.UUID) -> ResponseReturnValue:
    """Answer the next cards of a column."""
    args = query.of_request()
    cursor, waiting = args.pop("cursor", ""), args.pop("waiting", "")
    column = board.read_more(db.session(), stage_id, cursor, args, context.actor())
    if column is None:
        abort(404)
    left = max(int(waiting) - len(column.cards), 1) if waiting.isdecimal() and len(waiting) < 9 else 1
    return render_page("deals/more.html", {}, column=column, waiting=left, more_query=_more_query(args))


@blueprint.post("/deals/<uuid:deal_id>/move")
@needs("deals:write")
def move(deal_id: uuid.UUID) -> ResponseReturnValue:
    """Move a card to a stage and place."""
    return moves.move(deal_id)


@blueprint.post("/deals/<uuid:deal_id>/stage/<uuid:stage_id>")
@needs("deals:write")
def to_stage(deal_id: uuid.UUID, stage_id: uuid.UUID) -> ResponseReturnValue:
    """Move a deal to a stage from its page."""
    return moves.to_stage(deal_id, stage_id)


@blueprint.post("/deals/<uuid:deal_id>/won")
@needs("deals:write")
def won(deal_id: uuid.UUID) -> ResponseReturnValue:
    """Mark a deal as won."""
    return moves.won(deal_id)


@blueprint.get("/deals/lost")
@needs("deals:write")
def ask_reason() -> ResponseReturnValue:
    """Ask why the card that was dropped was lost."""
    return moves.lost_form(None)


@blueprint.get("/deals/<uuid:deal_id>/lost")
@needs("deals:write")
def lost(deal_id: uuid.UUID) -> ResponseReturnValue:
    """Ask why a deal was lost, from its page."""
    return moves.lost_form(deal_id)


def _nav(now: context.Context) -> Iterable[NavItem]:
    if now.actor is not None and now.actor.may("deals:read"):
        shape = request.cookies.get(SHAPE_COOKIE, "board")
        url = "/deals" if shape == "list" else "/deals/board"
        yield NavItem("deals", _("Deals"), url, "layout-kanban", hotkey="g d", phone=True)


def _join_frame(state: BlueprintSetupState) -> None:
    shell_of(state.app).nav.append(_nav)  # type: ignore[arg-type]


@blueprint.after_request
def _remember_list(response: Any) -> Any:
    """Let the side bar lead to the shape that was looked at last."""
    if request.endpoint == "deals.deals_list" and response.status_code == 200:
        response.set_cookie(SHAPE_COOKIE, "list", max_age=_YEAR, samesite="Lax", secure=request.is_secure)
    return response


blueprint.record_once(_join_frame)
