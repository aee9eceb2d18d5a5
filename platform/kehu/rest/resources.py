"""The REST resource of a record type: list, create, read, change, trash, restore.

Generated from the type's declaration, so that every field and every plugin's object has the same API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint

from kehu.core import db
from kehu.core.errors import InvalidInput, StaleVersion
from kehu.core.i18n import _
from kehu.core.records import filters, listing
from kehu.core.records.types import RecordType, key_of, widened
from kehu.rest import operations
from kehu.rest.access import token_needs
from kehu.rest.bodies import check_types, read_object
from kehu.rest.dump import RecordRowView, Row, columns_of, dumper, etag, json_answer
from kehu.rest.errors import BadRequest, PreconditionFailed, PreconditionNeeded
from kehu.rest.idempotency import idempotent

PREFIX = "/api/v1"
LIST_WORDS = frozenset({"q", "where", "sort", "after", "limit", "fields"})
"""Query words of every list; all others are filters."""


def resource(record_type: RecordType, *, writable: bool = True) -> Blueprint:
    """Return the blueprint of a record type's resource.

    :param writable: False for what programs may only read.
    """
    name = record_type.name
    made = Blueprint(f"api_{record_type.key}", __name__, url_prefix=PREFIX + record_type.list_path)
    views = _Views(record_type)

    def add(rule: str, method: str, action: str, view: Callable[..., Response], verb: str) -> None:
        guarded: Any = token_needs(f"{name}:{verb}")(view)
        guarded.__name__ = f"{action}_{key_of(record_type.singular)}"
        guarded.__doc__ = None
        guarded._apidoc = {"manual_doc": operations.describe(record_type, action)}
        made.add_url_rule(rule, guarded.__name__, guarded, methods=[method], tags=[name])

    add("", "GET", "list", views.list, "read")
    add("/<record_id>", "GET", "get", views.get, "read")
    if writable:
        add("", "POST", "create", idempotent(views.create), "write")
        add("/<record_id>", "PATCH", "update", views.update, "write")
        add("/<record_id>", "DELETE", "trash", views.trash, "delete")
        add("/<record_id>/restore", "POST", "restore", idempotent(views.restore), "delete")
    return made


class _Views:
    """The views of one record type; functions of this class carry no state of a request."""

    def __init__(self, record_type: RecordType) -> None:
        self._declared = record_type
        self._dumpers: dict[int, tuple[RecordType, Callable[[Row], dict[str, Any]]]] = {}

    @property
    def type(self) -> RecordType:
        """The type with the fields that plugins add to it in the present tenant."""
        return widened(self._declared)

    def dump_all(self, row: Row) -> dict[str, Any]:
        """Turn a row with all columns into JSON."""
        record_type = self.type
        kept, dump = self._dumpers.get(id(record_type), (None, None))
        if dump is None or kept is not record_type:
            dump = dumper(record_type, record_type.fields)
            self._dumpers[id(record_type)] = record_type, dump
        return dump(row)

    def list(self) -> Response:
        """Answer one page of a list."""
        args = query_args()
        wanted = _wanted(self.type, args.pop("fields", ""))
        columns = columns_of(self.type, wanted)
        dump = dumper(self.type, columns) if wanted else self.dump_all
        query = listing.ListQuery(
            args=args,
            columns=[one.key for one in columns],
            limit=page_limit(args.pop("limit", "")),
            strict=True,
            titles=False,
        )
        try:
            page = listing.page(db.session(), self.type, query)
        except OverflowError as error:
            raise InvalidInput(_("A filter holds a date that is out of range.")) from error
        return json_answer({"data": [dump(row) for row in page.rows], "next": page.next})

    def create(self) -> Response:
        """Create a record."""
        values = read_object()
        check_types(self.type, values)
        record = self.type.service(db.session()).create(values)
        return self._answer(record, 201, Location=f"{PREFIX}{self.type.list_path}/{record.id}")

    def get(self, record_id: str) -> Response:
        """Answer one record, or 304 when the asker has this version."""
        record = self.type.service(db.session()).get(record_id)
        if etag(record.version) in request.headers.get("If-None-Match", ""):
            return Response(status=304, headers={"ETag": etag(record.version)})
        return self._answer(record)

    def update(self, record_id: str) -> Response:
        """Change some fields."""
        version = needed_version()
        values = read_object()
        check_types(self.type, values)
        with stale_as_precondition():
            record = self.type.service(db.session()).update(record_id, values, version=version)
        return self._answer(record)

    def trash(self, record_id: str) -> Response:
        """Put a record into the trash."""
        version = given_version()
        with stale_as_precondition():
            self.type.service(db.session()).trash(record_id, version=version)
        return Response(status=204)

    def restore(self, record_id: str) -> Response:
        """Take a record out of the trash."""
        read_object(optional=True)
        return self._answer(self.type.service(db.session()).restore(record_id))

    def _answer(self, record: Any, status: int = 200, **headers: str) -> Response:
        return json_answer(self.dump_all(RecordRowView(record)), status, ETag=etag(record.version), **headers)


@contextmanager
def stale_as_precondition() -> Iterator[None]:
    """Turn a stale write into 412, which is what `If-Match` asks for."""
    try:
        yield
    except StaleVersion as error:
        raise PreconditionFailed(error.message, **error.details) from error


def query_args() -> dict[str, str]:
    """Return the query's words, each once.

    :raises InvalidInput: for a word that stands twice or holds a NUL.
    """
    found: dict[str, str] = {}
    for key, values in request.args.lists():
        if len(values) > 1:
            raise _unfit(key, _("This stands twice. Write several values with commas."))
        if "\x00" in values[0] or "\x00" in key:
            raise _unfit(key.replace("\x00", ""), _("This holds a NUL character."))
        if key in filters.RESERVED and key not in LIST_WORDS:
            raise unknown_word(key)
        found[key] = values[0]
    return found


def unknown_word(key: str) -> InvalidInput:
    """Return the refusal of a query word."""
    return _unfit(key, _("Unknown filter."))


def _unfit(key: str, message: str) -> InvalidInput:
    return InvalidInput(message, fields={key: [message]})


def _wanted(record_type: RecordType, written: str) -> list[str]:
    wanted = [part.strip() for part in written.split(",") if part.strip()]
    unknown = [
        key for key in wanted if key not in record_type.by_key and key not in ("id", "version", "currency")
    ]
    if unknown:
        raise _unfit("fields", _("There is no field “%(name)s”.", name=unknown[0][:60]))
    return wanted


def page_limit(written: str) -> int:
    """Return how many a page holds.

    :raises InvalidInput: when it is no number from 1 to 200.
    """
    if not written:
        return listing.PAGE
    if (
        not written.isascii()
        or not written.isdigit()
        or len(written) > 4
        or not 1 <= int(written) <= listing.LONGEST_PAGE
    ):
        raise _unfit("limit", _("Write a number from 1 to %(most)s.", most=listing.LONGEST_PAGE))
    return int(written)


def needed_version() -> int | None:
    """Return the version in `If-Match`, None for `*`.

    :raises PreconditionNeeded: when there is none.
    """
    if "If-Match" not in request.headers:
        raise PreconditionNeeded(
            _(
                'Say which version you change: send the ETag that you got, as in “If-Match: "3"”. Nothing was changed.'
            )
        )
    return given_version()


def given_version() -> int | None:
    """Return the version in `If-Match`, None without one or for `*`.

    :raises BadRequest: when it is no version.
    """
    written = request.headers.get("If-Match", "*").strip()
    if written == "*":
        return None
    number = written.removeprefix("W/").strip('"')
    if not number.isascii() or not number.isdigit() or len(number) > 15:
        raise BadRequest(_('If-Match holds the ETag that you got, as in “If-Match: "3"”.'))
    return int(number)
