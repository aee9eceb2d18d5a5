"""Pages: what is known of a person, as a file, and its erasure."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from kehu.core import db
from kehu.core.errors import InvalidInput, KehuError, NotFound, StaleVersion
from kehu.core.i18n import _
from kehu.core.records.types import registered
from kehu.privacy.files import store
from kehu.privacy.holds import HoldService
from kehu.privacy.services import PrivacyService
from kehu.web.access import needs
from kehu.web.records.answers import go_to
from kehu.web.render import render_page
from kehu.web.toasts import toast

blueprint = Blueprint("privacy", __name__)

OBJECTS = ("customers", "contacts")


def _service() -> PrivacyService:
    return PrivacyService(db.session(), store())


def _known(name: str) -> str:
    if name not in OBJECTS:
        raise NotFound(_("There is no such page."))
    return name


def _page(
    name: str,
    record_id: uuid.UUID,
    problem: str = "",
    status: int = 200,
    refused: dict[str, Any] | None = None,
) -> Any:
    preview = _service().preview(_known(name), record_id)
    return render_page(
        "privacy/person.html",
        status=status,
        type=registered()[name],
        object=name,
        preview=preview,
        record=preview.record,
        labels={key: one.plural for key, one in registered().items()},
        problem=problem,
        typed=request.form.get("name", ""),
        refused=refused or {"errors": {}, "given": ("", "")},
    )


@blueprint.get("/privacy/<name>/<uuid:record_id>")
@needs("privacy:erase")
def person(name: str, record_id: uuid.UUID) -> Any:
    """Show in numbers what is known of a person, and what an erasure takes."""
    return _page(name, record_id)


@blueprint.post("/privacy/<name>/<uuid:record_id>/hold")
@needs("privacy:erase")
def hold(name: str, record_id: uuid.UUID) -> Any:
    """Say that a person has to be kept."""
    given = request.form.get("reason", ""), request.form.get("until", "")
    try:
        HoldService(db.session()).hold(_known(name), record_id, *given)
    except InvalidInput as error:
        return _page(name, record_id, status=422, refused={"errors": error.fields, "given": given})
    return redirect(f"/privacy/{name}/{record_id}", 303)


@blueprint.post("/privacy/<name>/<uuid:record_id>/release/<uuid:hold_id>")
@needs("privacy:erase")
def release(name: str, record_id: uuid.UUID, hold_id: uuid.UUID) -> Any:
    """Say that a person need not be kept any more."""
    HoldService(db.session()).release(_known(name), record_id, hold_id)
    return redirect(f"/privacy/{name}/{record_id}", 303)


@blueprint.post("/privacy/<name>/<uuid:record_id>/export")
@needs("privacy:export")
def export(name: str, record_id: uuid.UUID) -> ResponseReturnValue:
    """Hand out all that is known of a person."""
    into: Any = SpooledTemporaryFile(max_size=4 * 1024 * 1024)  # noqa: SIM115 - closed when it has been sent
    try:
        title = _service().export(_known(name), record_id, into)
    except KehuError:
        into.close()
        raise
    answer = Response(_sent(into), mimetype="application/zip")
    answer.headers.set("Content-Disposition", "attachment", filename=title)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while block := file.read(64 * 1024):
            yield block


@blueprint.post("/privacy/<name>/<uuid:record_id>/erase")
@needs("privacy:erase")
def erase(name: str, record_id: uuid.UUID) -> Any:
    """Erase a person; another name than his is shown again as it was typed."""
    try:
        counts = _service().erase(
            _known(name),
            record_id,
            typed=request.form.get("name", ""),
            version=request.form.get("version", 0, int),
        )
    except (InvalidInput, StaleVersion) as error:
        return _page(name, record_id, str(error.message), 422)
    toast(
        _(
            "Erased: %(count)s entries. The history forgets the name within minutes.",
            count=sum(counts.values()),
        )
    )
    return go_to(f"/{name}")


from kehu.privacy import retention_views  # noqa: E402, F401 - routes
