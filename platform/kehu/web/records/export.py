"""A list as a file: what is filtered, in the columns that show, streamed while it is read."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Response
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from kehu.core import audit, clock, context, db
from kehu.core.context import narrower
from kehu.core.errors import NotFound
from kehu.core.i18n import _
from kehu.core.ids import new_id, parse_id
from kehu.core.records import filters, listing
from kehu.core.records.fields import Field
from kehu.core.records.kinds import KINDS, dump_value
from kehu.imports.csv_out import csv_blocks
from kehu.imports.json_out import jsonl_blocks
from kehu.imports.xlsx_out import xlsx_blocks
from kehu.views.models import BulkRun
from kehu.web.records import query
from kehu.web.records.display import plain_text
from kehu.web.records.lists import visible_columns

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages

SELECTION = "selection"
MIME = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
}
"""How a list is handed out -> what the browser is told of the file."""


def exporting_actor(type_name: str, actor: context.Actor) -> context.Actor:
    """Return the actor with reading narrowed to what may be exported."""
    reach = narrower(actor.require(f"{type_name}:read"), actor.require(f"{type_name}:export"))
    return replace(actor, permissions={**actor.permissions, f"{type_name}:read": reach})


def download(pages: RecordPages, form: str = "csv") -> ResponseReturnValue:
    """Answer the list as a file, streamed.

    :param form: csv, xlsx or jsonl.
    """
    args = query.of_request()
    record_type, session, tenant = pages.type, db.session(), context.tenant()
    actor = exporting_actor(pages.name, context.actor())
    filters.conditions(
        record_type, record_type.model, args, actor, tenant, strict=False
    )  # refuses what makes no sense
    columns = [record_type.by_key[record_type.title], *visible_columns(pages, args)]
    chosen = _selection(pages, args)
    audit.write(
        session, object=pages.name, record_id=new_id(), action="exported", title=str(record_type.plural)
    )
    labels = {
        one.key: {option.value: str(option.label) for option in one.choices()}
        for one in columns
        if one.kind in ("choice", "choices")
    }
    name = f"{pages.name}-{clock.today(tenant.tz).isoformat()}.{form}"

    def rows() -> Iterator[list[Any]]:
        # The request's own unit of work has ended when the file is sent.
        with db.unit_of_work(tenant=tenant, actor=actor, source="web") as reading:
            for row in listing.everything(
                reading, record_type, args, [one.key for one in columns], actor, only=chosen
            ):
                line = _line(columns, row, labels, tenant)
                yield line if form != "jsonl" else _with_lists(columns, row, line)

    response = Response(_blocks(form, columns, rows()), mimetype=MIME[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def workbook(pages: RecordPages) -> ResponseReturnValue:
    """Answer the list as an Excel workbook."""
    return download(pages, "xlsx")


def json_lines(pages: RecordPages) -> ResponseReturnValue:
    """Answer the list as JSON Lines."""
    return download(pages, "jsonl")


def _blocks(form: str, columns: Sequence[Field], rows: Iterator[list[Any]]) -> Iterator[bytes]:
    if form == "jsonl":
        return jsonl_blocks([one.key for one in columns], rows)
    header = [str(one.label) for one in columns]
    return xlsx_blocks(header, rows) if form == "xlsx" else csv_blocks(header, rows)


def _with_lists(columns: Sequence[Field], row: Mapping[str, Any], line: list[Any]) -> list[Any]:
    """Return a line in which mails, phones, addresses and tags stay lists."""
    return [
        dump_value(one, row[one.key]) if KINDS[one.kind].json_type == "array" else value
        for one, value in zip(columns, line, strict=True)
    ]


def _selection(pages: RecordPages, args: Mapping[str, str]) -> list[uuid.UUID] | None:
    """Return the ids that were selected before, or None for the whole list."""
    if SELECTION not in args:
        return None
    run_id = parse_id(args[SELECTION])
    statement = select(BulkRun.plan).where(
        BulkRun.id == run_id, BulkRun.object == pages.name, BulkRun.member_id == context.actor().member_id
    )
    plan = db.session().execute(statement).scalar() if run_id else None
    if plan is None:
        raise NotFound(_("This selection is gone; select the rows again."))
    return [found for one in plan.get("ids", ()) if (found := parse_id(one))]


def _line(
    columns: Sequence[Field],
    row: Mapping[str, Any],
    labels: Mapping[str, Mapping[str, str]],
    tenant: context.TenantInfo,
) -> list[Any]:
    line = []
    for one in columns:
        value = plain_text(
            one,
            row[one.key],
            title=row.get(f"{one.key}__title"),
            currency=one.currency_in(row) or tenant.currency,
            labels=labels.get(one.key),
        )
        line.append(
            value.astimezone(tenant.tz).isoformat(timespec="minutes")
            if isinstance(value, dt.datetime)
            else value
        )
    return line
