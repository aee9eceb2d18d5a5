"""What `kehu.testkit.contract` is put together from: records to look at, addresses, pages that can be compared."""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from flask import Flask, url_for
from sqlalchemy import inspect, text
from werkzeug.routing import Rule

from kehu.addons import audits, migrations
from kehu.authoring import sources
from kehu.core.ids import new_id
from kehu.core.records.fields import Field
from kehu.core.records.service import service_for
from kehu.core.tables import metadata
from kehu.files.store import FileStore
from kehu.members.models import Role
from kehu.merging.finding import OBJECTS
from kehu.merging.links import links_to
from kehu.merging.services import MergeService
from kehu.privacy.services import PrivacyService
from kehu.testkit.fixtures import Shop
from kehu.web.language import FOLDER
from plugins.records import PluginRecord

_NO_ID = "018f0000-0000-7000-8000-000000000000"
_DIFFERS = r'X-CSRF-Token":"[^"]+|name="csrf_token" value="[^"]+|name="idempotency_key" value="[^"]+'
"""What differs from one answer to the next on the same page."""


def tables_of(slug: str) -> list[str]:
    """Return the tables that a plugin's models declare."""
    schema = migrations.schema_of(slug)
    return sorted(table.name for table in metadata.tables.values() if table.schema == schema)


def row_counts(shop: Shop, slug: str) -> dict[str, int]:
    """Return how many rows each table of a plugin holds for a firm."""
    schema = migrations.schema_of(slug)
    with shop.work() as session:
        return {
            name: session.execute(
                text(f"SELECT count(*) FROM {schema}.{name} WHERE tenant_id = :id"),  # noqa: S608 - names of tables
                {"id": shop.tenant.id},
            ).scalar_one()
            for name in tables_of(slug)
        }


def tables_in(connection: Any, slug: str) -> list[str]:
    """Return the tables in a plugin's schema."""
    names = inspect(connection).get_table_names(schema=migrations.schema_of(slug))
    connection.rollback()
    return [name for name in names if name != audits.VERSIONS]


def codes_asked_for(folder: Path, codes: set[str]) -> set[str]:
    """Return the permissions that the code asks for by name, beside its pages."""
    asked = re.compile(r"(?:require|may|scope)\(\s*[\"']([^\"']+)")
    found = {code for path in sources.python_files(folder) for code in asked.findall(path.read_text())}
    return found & codes


def catalogue_of(record: PluginRecord, folder: Path, locale: str) -> Path:
    """Return where a plugin's translations lie; those of built-in plugins stand with the platform's."""
    if record.builtin:
        return FOLDER / locale / "LC_MESSAGES" / "messages.po"
    return folder / "locale" / locale / "LC_MESSAGES" / f"{record.slug}.po"


def make_records(shop: Shop) -> dict[str, str]:
    """Make one of each record that slots and fields of plugins stand on, by the names of the slots' arguments."""
    with shop.work() as session:
        customer = service_for("customers", session).create({"name": "Harbour Taxis"})
        session.flush()
        deal = service_for("deals", session).create({"name": "A fleet", "customer_id": str(customer.id)})
        ticket = service_for("tickets", session).create(
            {"subject": "A question", "customer_id": str(customer.id)}
        )
        contact = service_for("contacts", session).create(
            {"name": "Anna Lindqvist", "customer_id": str(customer.id)}
        )
        item = service_for("owned_items", session).create(
            {"name": "A thing of theirs", "customer_id": str(customer.id)}
        )
        made = {
            "customer_id": customer,
            "deal_id": deal,
            "ticket_id": ticket,
            "contact_id": contact,
            "owned_item_id": item,
        }
        return {name: str(one.id) for name, one in made.items()}


def links_of_figures(page: str) -> list[str]:
    """Return the addresses behind the numbers of a report."""
    return [unescape(url) for url in re.findall(r'<td class="k-num"><a class="k-link" href="([^"]+)"', page)]


def sample_of(field: Field) -> Any:
    """Return a value that a field takes, as a form sends it."""
    samples = {
        "number": str(field.minimum or 1),
        "date": "2030-01-31",
        "bool": "yes",
        "email": "anna@example.com",
        "phone": "+44 20 7946 0958",
        "link": "https://example.com",
    }
    if field.kind == "choice":
        return field.choices()[0].value
    return samples.get(field.kind, "A text")


_SHAPE = text(
    "SELECT 'column', c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
    "WHERE c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped AND a.attnum > 0 "
    "UNION ALL SELECT 'constraint', conrelid::regclass::text, conname FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace "
    "UNION ALL SELECT 'policy', p.polrelid::regclass::text, p.polname FROM pg_policy p "
    "JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = 'public'::regnamespace "
    "UNION ALL SELECT 'trigger', t.tgrelid::regclass::text, t.tgname FROM pg_trigger t "
    "JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal"
)


def shape_of_the_platform(connection: Any) -> set[tuple[str, str, str]]:
    """Return the columns, constraints, policies and triggers of the platform's own tables."""
    return {tuple(row) for row in connection.execute(_SHAPE)}


@dataclass(frozen=True, order=True)
class Pointer:
    """A row of a plugin that points at a customer or contact."""

    object: str
    record_id: uuid.UUID
    column: str
    row: str


def pointers_of(shop: Shop, slug: str) -> set[Pointer]:
    """Return which rows of a plugin point at which customers and contacts of a firm."""
    schema, found = migrations.schema_of(slug), set()
    with shop.work() as session:
        for object_name in OBJECTS:
            for link in links_to(session, object_name):
                if link.schema != schema:
                    continue
                column = f"{link.table}.{link.pointer}"
                statement = text(
                    f"SELECT {link.pointer} AS record_id, {link.row} AS row FROM {link.table} "  # noqa: S608 - as above
                    f"WHERE tenant_id = :id AND {link.pointer} IS NOT NULL"
                )
                for one in session.execute(statement, {"id": shop.tenant.id}):
                    found.add(Pointer(object_name, one.record_id, column, one.row))
    return found


def merge_into_another(shop: Shop, object_name: str, record_id: uuid.UUID) -> tuple[uuid.UUID, uuid.UUID]:
    """Merge a record into a new one and return the ids of that and of the merge."""
    with shop.work() as session:
        kept = service_for(object_name, session).create({"name": "The same once more"})
        return kept.id, MergeService(session, object_name).merge(kept.id, record_id).id


def undo_merge(shop: Shop, object_name: str, merge_id: uuid.UUID) -> None:
    """Take a merge back."""
    with shop.work() as session:
        MergeService(session, object_name).undo(merge_id)


def hand_out_and_erase(shop: Shop, object_name: str, record_id: uuid.UUID) -> list[str]:
    """Hand out all that is known of a person, erase it, and return the names of what was handed out."""
    store = FileStore(shop.app.extensions["kehu.settings"].var / "files", 0)
    with shop.work() as session:
        service, file = PrivacyService(session, store), io.BytesIO()
        service.export(object_name, record_id, file)
        record = service_for(object_name, session).get(record_id)
        service.erase(object_name, record_id, typed=record.name, version=record.version)
    with zipfile.ZipFile(file) as archive:
        return archive.namelist()


def without_rights(shop: Shop) -> Any:
    """Add a member whose role may do nothing."""
    with shop.work() as session:
        session.add(Role(id=new_id(), code="nobody", name="Nobody", permissions={}, builtin=False))
    return shop.member("nobody")


def path_of(rule: Rule) -> str:
    """Return an address that a rule matches."""
    return re.sub(r"<[^>]+>", _NO_ID, rule.rule)


def url_of(app: Flask, endpoint: str, arguments: Mapping[str, str]) -> str:
    """Return the address of an endpoint."""
    with app.test_request_context():
        return url_for(endpoint, **arguments)  # type: ignore[arg-type]


def plain(answer: Any, path: str) -> str:
    """Return a page without what differs from request to request."""
    body = re.sub(_DIFFERS, "", answer.get_data(as_text=True))
    return body.replace(path, "PATH").replace(path.replace("/", "%2F"), "PATH")


def form_values(page: str) -> dict[str, str]:
    """Return what a form would send as it stands."""
    form = page[page.index("<main") :]
    found = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form))
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)"[^>]*selected', options)
        found[name] = chosen[1] if chosen else ""
    found.pop("csrf_token", None)
    return found
