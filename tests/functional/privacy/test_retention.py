"""How long something is kept: off, rehearsed with reasons, carried out in bounds, told, and left alone when unpaid."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from sqlalchemy import func, select, text

from kehu.consent.services import ConsentService
from kehu.core import clock, context
from kehu.core.audit import AuditEntry
from kehu.core.errors import Forbidden, InvalidInput, StaleVersion
from kehu.core.mail import compose
from kehu.core.records.service import service_for
from kehu.customers.models import Contact, Customer
from kehu.privacy import retention, tasks
from kehu.privacy.models import RetentionRule
from kehu.privacy.retention import RetentionRuleService
from kehu.testkit.fixtures import Shop, count_queries

SCRIPT = {"HX-Request": "true"}
OLD = dt.timedelta(days=4 * 366)
RULE = {"name": "Silent", "object": "customers", "after": 36, "unit": "months", "act": "erase", "years": 2}


def age(session: Any) -> None:
    """Let all that is here be four years old."""
    session.flush()
    for table in (
        "customers",
        "contacts",
        "deals",
        "tickets",
        "activities",
        "owned_items",
        "owned_item_terms",
    ):
        session.execute(
            text(
                f"UPDATE {table} SET created_at = created_at - interval '4 years', "
                "updated_at = updated_at - interval '4 years' WHERE tenant_id = :t"
            ),
            {"t": context.tenant().id},
        )
    session.execute(
        text("UPDATE deals SET closed_at = closed_at - interval '4 years' WHERE tenant_id = :t"),
        {"t": context.tenant().id},
    )
    session.expire_all()


@pytest.fixture
def people(shop: Shop) -> dict[str, Any]:
    """Silent ones with and without a reason to be kept, and one who was heard of lately."""
    with shop.work() as session:

        def make(kind: str, /, **values: Any) -> Any:
            return service_for(kind, session).create(values).id

        names = ("Gone", "Dealing", "Asking", "Covered", "Lively", "Person")
        found = {one: make("customers", name=one, kind="person") for one in names}
        make("deals", name="Open", customer_id=str(found["Dealing"]))
        make("tickets", subject="Open", customer_id=str(found["Asking"]))
        item = make("owned_items", name="Boiler", customer_id=str(found["Covered"]))
        make(
            "owned_item_terms",
            item_id=str(item),
            kind="contract",
            name="Service",
            starts_on="2020-01-01",
            ends_on="2099-01-01",
        )
        found["contact"] = make("contacts", name="Anna Gone", customer_id=str(found["Gone"]))
        age(session)
        contact = make("contacts", name="Boris Lively", customer_id=str(found["Lively"]))
        make("activities", kind="note", subject="Called", contact_id=str(contact))
    return found


def rule(shop: Shop, **values: Any) -> Any:
    with shop.work() as session:
        return RetentionRuleService(session).create({**RULE, **values}).id


def night(shop: Shop) -> None:
    tasks.keep_no_longer(tenant_id=str(shop.tenant.id))


def names(shop: Shop, model: Any = Customer) -> set[str]:
    with shop.work() as session:
        return set(session.execute(select(model.name).where(model.deleted_at.is_(None))).scalars())


def counts(shop: Shop) -> list[Any]:
    with shop.work() as session:
        where = (AuditEntry.object == "retention_rules", AuditEntry.action == "applied")
        return list(
            session.execute(select(AuditEntry.changes).where(*where).order_by(AuditEntry.id)).scalars()
        )


def test_off_then_rehearsed_then_carried_out(shop: Shop, other_shop: Shop, people: dict[str, Any]) -> None:
    made = rule(shop, only_for="kind=person")
    before = names(shop)
    night(shop)
    assert names(shop) == before
    client = shop.client()
    page = client.get(f"/settings/retention/{made}/try", headers=SCRIPT).get_data(as_text=True)
    assert "Today this rule would touch: 2" in page
    assert "It would keep: 3" in page
    assert [
        word for word in ("an open deal", "an open ticket", "a running contract") if word not in page
    ] == []
    assert "Lively" not in page
    assert names(shop) == before
    version = re.findall(r'name="version" value="(\d+)"', page)[0]
    answer = client.post(
        f"/settings/retention/{made}/switch", data={"to": "on", "version": version}, headers=SCRIPT
    )
    assert answer.status_code < 300
    night(other_shop)
    night(shop)
    assert names(shop) == {"Dealing", "Asking", "Covered", "Lively"}
    assert names(shop, Contact) == {"Boris Lively"}
    assert counts(shop) == [{"touched": [None, 2], "kept": [None, 3]}]
    with shop.work() as session:
        where = (AuditEntry.record_id == people["Gone"], AuditEntry.action == "erased")
        entry = session.execute(select(AuditEntry).where(*where)).scalar_one()
        assert (entry.title, entry.source) == ("Erased by the rule “Silent”", "rule:Silent")
        assert entry.changes["contacts"] == [1, 0]
        jobs = session.execute(
            text(
                "SELECT task_name, args FROM procrastinate_jobs WHERE args->>'tenant_id' = :id "
                "AND task_name IN ('privacy.scrub', 'kehu.mail.deliver')"
            ),
            {"id": str(shop.tenant.id)},
        ).all()
    assert sorted(job.task_name for job in jobs) == ["kehu.mail.deliver", "privacy.scrub", "privacy.scrub"]
    sent = next(job.args for job in jobs if job.task_name == "kehu.mail.deliver")
    assert (sent["template"], sent["values"]["count"]) == ("privacy/mail/retention", 2)
    with shop.app.test_request_context(), shop.work():
        mail = compose("a@b.example", sent["template"], sent["values"])
    assert "Silent: 2 erased for good, 3 kept with a reason" in str(mail.get_body(("plain",)))
    night(shop)
    assert counts(shop)[-1] == {"touched": [None, 0], "kept": [None, 3]}
    assert "0 touched, 3 kept" in client.get("/settings/retention").get_data(as_text=True)


def test_a_sale_is_kept_as_long_as_the_law_wants(shop: Shop, people: dict[str, Any]) -> None:
    with shop.work() as session:
        deal = service_for("deals", session).create({"name": "Bought", "customer_id": str(people["Gone"])})
        session.execute(
            text("UPDATE deals SET status = 'won', closed_at = now() WHERE tenant_id = :t AND id = :i"),
            {"t": shop.tenant.id, "i": deal.id},
        )
        age(session)
    with shop.work() as session:
        law = retention.rehearse(session, RetentionRule(**{**RULE, "years": 10}))
        assert {one.title for one in law.first} == {"Person", "Lively"}
        assert ("a sale whose papers the law wants kept",) in [one.why for one in law.kept]
        short = retention.rehearse(session, RetentionRule(**{**RULE, "years": 2}))
        assert {one.title for one in short.first} == {"Gone", "Person", "Lively"}


def test_an_agreement_keeps_and_old_ones_do_not(shop: Shop, people: dict[str, Any]) -> None:
    with shop.work() as session:
        words = ConsentService(session)
        words.record("contacts", people["contact"], "mail", "marketing", "given")
        old = clock.now() - OLD
        words.record("customers", people["Person"], "mail", "marketing", "given", said_at=old)
        age(session)
        found = retention.rehearse(session, RetentionRule(**{**RULE, "object": "contacts"}))
    assert [(one.title, one.why) for one in found.kept] == [("Anna Gone", ("an agreement that holds",))]


def test_a_night_is_bounded_and_the_next_goes_on(
    shop: Shop, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "NIGHT", 1)
    monkeypatch.setattr(retention, "CHUNK", 2)
    rule(shop, act="trash", active=True)
    night(shop)
    assert "Gone" not in names(shop)
    assert "Person" in names(shop)
    night(shop)
    assert "Person" not in names(shop)
    with shop.work() as session:
        service_for("customers", session).restore(people["Person"])
    assert "Person" in names(shop)
    assert [one["touched"][1] for one in counts(shop)] == [1, 1]


def test_what_comes_in_between_keeps_somebody(shop: Shop, people: dict[str, Any]) -> None:
    with shop.work() as session:
        rule_row = RetentionRule(**{**RULE, "name": "Silent"})
        gone = [one for one in retention._look(session, rule_row) if not one.why]
        assert len(gone) == 2
        service_for("deals", session).create({"name": "New", "customer_id": str(gone[0].id)})
        with context.use(actor=context.SYSTEM):
            assert [retention._goes(session, rule_row, one) for one in gone] == [False, True]


def test_tickets_go_and_the_trash_is_emptied(shop: Shop, people: dict[str, Any]) -> None:
    with shop.work() as session:
        tickets = service_for("tickets", session)
        done = tickets.create({"subject": "Done", "customer_id": str(people["Gone"])})
        tickets.update(done.id, {"status": "closed"})
        age(session)
        new = tickets.create({"subject": "Just done"})
        tickets.update(new.id, {"status": "closed"})
        note = service_for("activities", session).create(
            {"kind": "note", "subject": "about it", "ticket_id": str(done.id)}
        )
        kept_note, done_id, new_id = note.id, done.id, new.id
        service_for("contacts", session).trash(people["contact"])
        service_for("customers", session).trash(people["Dealing"])
    rule(shop, object="tickets", act="trash", active=True)
    night(shop)
    with shop.work() as session:
        service_for("tickets", session).get(new_id)
        service_for("tickets", session).get(done_id, trashed=True)
        session.execute(
            text("UPDATE tickets SET deleted_at = deleted_at - interval '40 days' WHERE tenant_id = :t"),
            {"t": shop.tenant.id},
        )
        for table in ("contacts", "customers"):
            session.execute(
                text(f"UPDATE {table} SET deleted_at = deleted_at - interval '40 days' WHERE tenant_id = :t"),
                {"t": shop.tenant.id},
            )
    rule(shop, name="Trash", object="trash", after=30, unit="days", act="erase", active=True)
    night(shop)
    with shop.work() as session:
        for table, count in (("tickets", 2), ("contacts", 1)):
            left = text(f"SELECT count(*) FROM {table} WHERE tenant_id = :t")
            assert session.execute(left, {"t": shop.tenant.id}).scalar_one() == count
        assert service_for("activities", session).get(kept_note).ticket_id is None
        # His deal is open: he stays in the trash with his name.
        assert service_for("customers", session).get(people["Dealing"], trashed=True).name == "Dealing"
    assert counts(shop)[-1] == {"touched": [None, 2], "kept": [None, 1]}


def test_what_was_erased_is_not_erased_again(shop: Shop, people: dict[str, Any]) -> None:
    rule(shop, active=True)
    rule(shop, name="Trash", object="trash", after=1, unit="days", act="erase", active=True)
    night(shop)
    with shop.work() as session:
        session.execute(
            text("UPDATE customers SET deleted_at = deleted_at - interval '9 days' WHERE tenant_id = :t"),
            {"t": shop.tenant.id},
        )
    night(shop)
    assert counts(shop)[-1]["touched"] == [None, 0]


def test_what_cannot_be_carried_out_is_refused(shop: Shop) -> None:
    for values, key in (
        ({"object": "tickets"}, "act"),
        ({"object": "trash", "act": "trash"}, "act"),
        ({"object": "trash", "only_for": "name=x"}, "only_for"),
        ({"only_for": "nonsense=1"}, "only_for"),
        ({"after": 0}, "after"),
    ):
        with shop.work() as session, pytest.raises(InvalidInput) as error:
            RetentionRuleService(session).create({**RULE, **values})
        assert list(error.value.fields) == [key]
    answer = shop.client().post("/settings/retention/new", data={**RULE, "after": "never"}, headers=SCRIPT)
    assert answer.status_code == 422
    assert 'value="never"' in answer.get_data(as_text=True)


def test_a_changed_rule_rests_until_it_is_rehearsed_again(shop: Shop) -> None:
    made = rule(shop, active=True)
    with shop.work() as session:
        service = RetentionRuleService(session)
        assert service.update(made, {"name": "Renamed"}).active
        assert not service.update(made, {"after": 12}).active
    with shop.work() as session, pytest.raises(StaleVersion):
        RetentionRuleService(session).update(made, {"active": True}, version=1)


@pytest.mark.parametrize("role", ["manager", "member", "viewer"])
def test_only_admins_may(shop: Shop, role: str) -> None:
    made, actor = rule(shop), shop.member(role)
    client = shop.client(actor)
    for address in ("/settings/retention", "/settings/retention/new", f"/settings/retention/{made}/try"):
        assert client.get(address).status_code == 403
    for tail in ("switch", "trash"):
        assert client.post(f"/settings/retention/{made}/{tail}", data={"to": "on"}).status_code == 403
    with shop.work(actor) as session, pytest.raises(Forbidden):
        RetentionRuleService(session).create(RULE)


def test_another_firm_sees_nothing(shop: Shop, other_shop: Shop, people: dict[str, Any]) -> None:
    made = rule(shop)
    client = other_shop.client()
    assert client.get(f"/settings/retention/{made}/try").status_code == 404
    assert client.post(f"/settings/retention/{made}/switch", data={"to": "on"}).status_code == 404
    with other_shop.work() as session:
        assert retention.rehearse(session, RetentionRule(**RULE)).goes == 0


def test_it_asks_little_of_many(shop: Shop) -> None:
    with shop.work() as session:
        service_for("customers", session).create_many([{"name": f"C {n}"} for n in range(300)])
        age(session)
    with shop.work() as session:
        with count_queries() as few:
            assert retention.rehearse(session, RetentionRule(**RULE)).goes == 300
        assert session.execute(select(func.count()).select_from(Customer)).scalar_one() == 300
    assert len(few) < 20
