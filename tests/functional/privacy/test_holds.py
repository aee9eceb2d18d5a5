"""Legal holds refuse every erasure, and own fields are handed out under their names."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from typing import Any

import pytest
from sqlalchemy import select, text

from kehu.core import clock, hooks
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, Forbidden
from kehu.core.records.service import service_for
from kehu.privacy import retention
from kehu.privacy.files import store
from kehu.privacy.holds import HoldService
from kehu.privacy.models import LegalHold, RetentionRule
from kehu.privacy.services import PrivacyService
from kehu.testkit.fixtures import Shop


@pytest.fixture
def anna(shop: Shop) -> Any:
    """A customer with a contact."""
    with shop.work() as session:
        found = service_for("customers", session).create({"name": "Anna"}).id
        service_for("contacts", session).create({"name": "Boris", "customer_id": str(found)})
    return found


def test_whoever_is_held_is_erased_by_nobody(shop: Shop, anna: Any) -> None:
    client, address = shop.client(), f"/privacy/customers/{anna}"
    assert client.post(f"{address}/hold", data={"reason": " "}).status_code == 422
    refused = client.post(f"{address}/hold", data={"reason": "A court", "until": "soon"})
    assert refused.status_code == 422
    assert 'value="A court"' in refused.text
    assert client.post(f"{address}/hold", data={"reason": "A court case"}).status_code == 303
    page = client.get(address).text
    assert "A court case" in page
    version = page.split('name="version" value="')[1].split('"')[0]
    answer = client.post(f"{address}/erase", data={"name": "Anna", "version": version})
    assert answer.status_code == 409
    with shop.work() as session:
        with pytest.raises(Conflict, match="A court case"):
            PrivacyService(session, store()).retire("customers", anna, "a rule")
        session.execute(
            text(
                "UPDATE customers SET created_at = created_at - interval '9 years', "
                "updated_at = updated_at - interval '9 years' WHERE tenant_id = :t"
            ),
            {"t": shop.tenant.id},
        )
        session.execute(
            text(
                "UPDATE contacts SET created_at = created_at - interval '9 years', "
                "updated_at = updated_at - interval '9 years' WHERE tenant_id = :t"
            ),
            {"t": shop.tenant.id},
        )
        for name in ("customers", "contacts"):
            rule = RetentionRule(name="x", object=name, after=1, unit="months", act="erase", years=0)
            found = retention.rehearse(session, rule)
            assert [one.why for one in found.kept] == [("a legal hold",)]
        hold_id = session.execute(select(LegalHold.id)).scalar_one()
    assert client.post(f"{address}/release/{hold_id}").status_code == 303
    assert client.post(f"{address}/release/{hold_id}").status_code == 404
    with shop.work() as session:
        said = select(AuditEntry.action).where(AuditEntry.record_id == anna).order_by(AuditEntry.id)
        assert list(session.execute(said).scalars())[-2:] == ["held", "released"]
    assert client.post(f"{address}/erase", data={"name": "Anna", "version": version}).status_code == 303
    with shop.work() as session:
        assert session.execute(select(LegalHold.id)).first() is None


def test_a_hold_ends_on_its_day(shop: Shop, anna: Any) -> None:
    last = clock.today(shop.tenant.tz) + dt.timedelta(days=5)
    with shop.work() as session:
        HoldService(session).hold("customers", anna, "A court case", last.isoformat())
    with shop.work() as session, pytest.raises(Conflict):
        PrivacyService(session, store()).retire("customers", anna, "a rule")
    with shop.work() as session, clock.ahead(dt.timedelta(days=7)):
        assert PrivacyService(session, store()).retire("customers", anna, "a rule")["contacts"] == 1


def test_who_may_hold(shop: Shop, other_shop: Shop, anna: Any) -> None:
    client = shop.client(shop.member("manager"))
    assert client.post(f"/privacy/customers/{anna}/hold", data={"reason": "x"}).status_code == 403
    stranger = other_shop.client()
    assert stranger.post(f"/privacy/customers/{anna}/hold", data={"reason": "x"}).status_code == 404
    with shop.work(shop.member("viewer")) as session, pytest.raises(Forbidden):
        HoldService(session).hold("customers", anna, "x")


def test_own_fields_are_handed_out_by_their_names(shop: Shop, anna: Any) -> None:
    with shop.work() as session:
        fields = service_for("custom_fields", session)
        fields.create({"object": "customers", "label": "Nickname", "kind": "text"})
        old = fields.create({"object": "customers", "label": "Shoe size", "kind": "number"}).id
    with shop.work():
        found = hooks.tenant_by_id(shop.tenant.id)
        assert found is not None
        shop.tenant = found
    with shop.work() as session:
        service_for("customers", session).update(anna, {"c_nickname": "Goldfinch", "c_shoe_size": 41})
    with shop.work() as session:
        service_for("custom_fields", session).update(old, {"state": "retired"})
    answer = shop.client().post(f"/privacy/customers/{anna}/export")
    archive = zipfile.ZipFile(io.BytesIO(answer.get_data()))
    row = json.loads(archive.read("data.json"))["tables"]["customers"][0]
    assert (row["Nickname"], row["Shoe size"]) == ("Goldfinch", 41)
    assert "custom" not in row
    assert "Nickname" in archive.read("tables/customers.csv").decode()
