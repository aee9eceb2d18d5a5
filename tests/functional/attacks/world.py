"""A firm with one of everything, and the ids of it by the names that addresses use."""

from __future__ import annotations

import io
from typing import Any

from sqlalchemy import select

from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.core.tables import metadata
from kehu.files.pages import file_service
from kehu.imports.services import ImportService
from kehu.imports.tasks import upload_root
from kehu.testkit.fixtures import Shop
from kehu.tickets.conversation import ConversationService
from kehu.views.services import ViewService

SECRET = "Zanzibar Secret"


def fill(shop: Shop) -> dict[str, str]:
    """Make one of everything; every text holds the word to look for."""
    shop.member("member")
    shop.token()
    shop.client()
    ids: dict[str, Any] = {}
    with shop.app.app_context(), shop.work() as session:
        customer = service_for("customers", session).create({"name": SECRET})
        ids["customers"] = customer.id
        linked = {"customer_id": customer.id}
        ids["contacts"] = service_for("contacts", session).create({"name": SECRET, **linked}).id
        ids["products"] = service_for("products", session).create({"name": "Open to all"}).id
        ids["deals"] = service_for("deals", session).create({"name": SECRET, **linked}).id
        ticket = service_for("tickets", session).create(
            {"subject": SECRET, "requester_email": "secret@example.com", **linked}
        )
        ids["tickets"] = ticket.id
        ids["message_id"] = ConversationService(session).note(ticket.id, SECRET).id
        ids["activities"] = (
            service_for("activities", session)
            .create({"kind": "note", "subject": SECRET, "body": SECRET, **linked})
            .id
        )
        ids["file_id"] = (
            file_service().attach("customers", customer.id, f"{SECRET}.txt", io.BytesIO(SECRET.encode())).id
        )
        view = ViewService(session).create("customers", SECRET, "", [])
        session.flush()
        ids["view_id"] = view.id
        ids["import_id"] = (
            ImportService(session, upload_root())
            .take("customers", f"{SECRET}.csv", io.BytesIO(f"name\n{SECRET}\n".encode()), 10**6)
            .id
        )
        session.flush()
        ids["batch_id"] = session.info["audit_batch"]
        for key, table in {
            "stage_id": "stages",
            "pipeline_id": "pipelines",
            "queue_id": "queues",
            "role_id": "roles",
            "member_id": "members",
            "token_id": "api_tokens",
            "entry_id": "audit_entries",
        }.items():
            found = metadata.tables[table]
            statement = select(found.c.id).where(found.c.tenant_id == shop.tenant.id).limit(1)
            ids[key] = session.execute(statement).scalar_one()
    ids["deal_id"], ids["tenant_id"] = ids["deals"], shop.tenant.id
    return {key: str(value) for key, value in ids.items()}


def arguments(rule: Any, ids: dict[str, str]) -> dict[str, Any]:
    """Return what fills an address: the id of the thing that it is about, something harmless for the rest."""
    plain = {
        "key": "name",
        "action": "trash",
        "kind": "customers",
        "object_name": "customers",
        "code": "en",
        "slug": "automotive",
        "name": "x",
        "token": "x",
        "job_id": 1,
    }
    kind = rule.rule.split("/")[1]
    filled: dict[str, Any] = {}
    for name in rule.arguments:
        if name == "record_id":
            filled[name] = ids.get(kind, ids["customers"])
        elif name.endswith("_id") and name != "job_id":
            filled[name] = ids.get(name) or str(new_id())
        else:
            filled[name] = plain.get(name, "x")
    if rule.endpoint.startswith("imports.") and "action" in filled:
        filled["action"] = "start"
    return filled
