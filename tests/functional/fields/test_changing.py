"""SAS-13: what a field holds is changed after a trial, values follow, and the way back stays open."""

import datetime as dt

import pytest
from sqlalchemy import select

from kehu.core import clock, jobs
from kehu.core.audit import AuditEntry, batch_id
from kehu.core.errors import Conflict, InvalidInput, NotFound, StaleVersion
from kehu.core.records import listing, undo
from kehu.core.records.own_tables import CustomField
from kehu.core.records.service import service_for
from kehu.core.records.types import get
from kehu.customers.models import Customer
from kehu.fields import changing
from kehu.fields.changing import ChangeService, Wish
from kehu.fields.impact import uses
from kehu.testkit.queue import work_off
from tests.functional.fields.test_page import SCRIPT, URL, renew


@pytest.fixture
def values(shop):
    """Return the function that makes customers with values, and returns their ids."""

    def make(key, *typed):
        with shop.work() as session:
            rows = [
                {"name": f"N {at}", **({} if one is None else {key: one})} for at, one in enumerate(typed)
            ]
            return [one.record.id for one in service_for("customers", session).create_many(rows)]

    return make


@pytest.fixture
def change(shop):
    """Return the function that changes the one field there is, as a request of its own."""

    def do(kind, *options, **more):
        with shop.work() as session:
            field = first(session)
            ChangeService(session).start(field.id, Wish(kind, [{"label": one} for one in options], **more))
        renew(shop)

    return do


def first(session):
    return session.execute(select(CustomField).order_by(CustomField.position).limit(1)).scalar_one()


def held(shop, key, ids):
    renew(shop)
    with shop.work() as session:
        found = {one.id: getattr(one, key) for one in session.execute(select(Customer)).scalars()}
        return [found[one] for one in ids]


def found_by(shop, **args):
    with shop.work() as session:
        return set(session.execute(listing.ids(get("customers"), args, shop.owner)).scalars())


def test_a_trial_counts_lists_and_writes_nothing(shop, make_field, values):
    key = make_field("Size")
    ids = values(key, "12", "1,200", "12", "wide", None)
    with shop.work() as session:
        field = first(session)
        before = field.version, field.slot
        trial = ChangeService(session).trial(field.id, Wish("number"))
        assert (trial.total, trial.converted, trial.failed) == (4, 3, 1)
        (one,) = trial.failing
        assert (one.record_id, one.title, one.value) == (ids[3], "N 3", "wide")
        assert "no number" in one.reason
    with shop.work() as session:
        assert (first(session).version, first(session).slot) == before
    assert held(shop, key, ids) == ["12", "1,200", "12", "wide", None]


def test_values_follow_and_are_found_sorted_and_typed(shop, make_field, values, change):
    key = make_field("Size")
    ids = values(key, "12", "9", "wide", None)
    change("number")
    assert held(shop, key, ids) == [12, 9, None, None]
    assert found_by(shop, **{f"{key}.gte": "10"}) == {ids[0]}
    assert found_by(shop, **{f"{key}.empty": "1"}) == set(ids[2:])
    with shop.work() as session:
        page = listing.page(session, get("customers"), listing.ListQuery(args={"sort": key}, columns=[key]))
        assert [row[key] for row in page.rows] == [9, 12, None, None]
        service_for("customers", session).update(ids[2], {key: "40"})
    assert held(shop, key, ids)[2] == 40


PAIRS = [
    ("text", "long_text", "Ash", "Ash", ()),
    ("text", "date", "2026-11-30", dt.date(2026, 11, 30), ()),
    ("text", "choice", "OAK", "oak", ("Oak", "Elm")),
    ("text", "choices", "elm, oak", ["oak", "elm"], ("Oak", "Elm")),
    ("text", "bool", "yes", True, ()),
    ("text", "money", "1,234.50", 123450, ()),
    ("text", "email", "a@example.com", "a@example.com", ()),
    ("number", "text", 12, "12", ()),
    ("number", "decimal", 12, 12, ()),
    ("decimal", "number", "12.00", 12, ()),
    ("decimal", "text", "12.50", "12.5", ()),
    ("percent", "text", "19 %", "19", ()),
    ("money", "decimal", "12.50", 12.5, ()),
    ("bool", "text", True, "Yes", ()),
    ("bool", "number", True, 1, ()),
    ("date", "text", "2026-11-30", "2026-11-30", ()),
    ("date", "datetime", "2026-11-30", dt.datetime(2026, 11, 30, tzinfo=dt.UTC), ()),
    ("datetime", "date", "2026-06-30T23:30:00Z", dt.date(2026, 7, 1), ()),
    ("choice", "text", "Oak", "Oak", ()),
    ("choice", "choices", "Oak", ["oak"], ("Oak", "Elm")),
    ("choices", "choice", ["Oak"], "oak", ("Oak", "Elm")),
    ("choices", "text", ["Oak", "Elm"], "Oak, Elm", ()),
    ("phone", "text", "+44 20 7946 4410", "+442079464410", ()),
    ("link", "text", "example.com/a", "https://example.com/a", ()),
]


@pytest.mark.parametrize(("old", "new", "typed", "wanted", "options"), PAIRS)
def test_each_pair_converts_and_goes_back(shop, make_field, values, change, old, new, typed, wanted, options):
    key = make_field("Size", old, **({"options": "Oak\nElm"} if old in ("choice", "choices") else {}))
    ids = values(key, typed, None)
    was = held(shop, key, ids)
    change(new, *options)
    assert held(shop, key, ids) == [wanted, [] if new == "choices" else None]
    client = shop.client()
    assert client.get(f"/customers/{ids[0]}/history", headers=SCRIPT).status_code == 200
    assert client.get(f"/customers/{ids[0]}").status_code == 200
    with shop.work() as session:
        ChangeService(session).go_back(first(session).id)
    assert held(shop, key, ids) == was
    assert client.get(f"/customers/{ids[0]}/history", headers=SCRIPT).status_code == 200


@pytest.mark.parametrize(("old", "new"), [("text", "ref"), ("date", "number"), ("email", "phone")])
def test_what_makes_no_sense_is_refused_with_the_reason(shop, make_field, change, old, new):
    make_field("Size", old)
    with pytest.raises(InvalidInput) as refused:
        change(new)
    assert refused.value.fields["kind"][0]


def test_a_member_and_a_record_become_their_names(shop, make_field, values, change):
    key = make_field("Keeper", "member")
    ids = values(key, str(shop.owner.member_id))
    change("text")
    assert held(shop, key, ids) == ["Mira Sol"]


def test_options_that_go_take_their_values_where_it_is_said(shop, make_field, values, change):
    key = make_field("Wood", "choice", options="Oak\nElm\nAsh")
    ids = values(key, "oak", "elm", "ash")
    with pytest.raises(InvalidInput) as refused, shop.work() as session:
        service_for("custom_fields", session).update(first(session).id, {"options": "Elm"})
    assert "Oak" in refused.value.fields["options"][0]
    left = [{"value": "elm", "label": "Fine elm", "tone": ""}]
    with shop.work() as session:
        wish = Wish("choice", left, {"oak": "elm", "ash": ""})
        trial = ChangeService(session).trial(first(session).id, wish)
        assert (trial.converted, trial.taken_out, trial.failed) == (2, 1, 0)
        ChangeService(session).start(first(session).id, wish)
    assert held(shop, key, ids) == ["elm", "elm", None]
    assert found_by(shop, **{key: "elm"}) == set(ids[:2])
    with shop.work() as session:
        ChangeService(session).go_back(first(session).id)
    assert held(shop, key, ids) == ["oak", "elm", "ash"]
    assert found_by(shop, **{key: "ash"}) == {ids[2]}


def test_what_can_not_be_brought_over_goes_into_a_field_beside_it(shop, make_field, values, change):
    key = make_field("Size")
    ids = values(key, "12", "wide")
    change("number", keep=True)
    work_off(shop)
    assert held(shop, f"{key}_former", ids) == [None, "wide"]
    assert found_by(shop, **{f"{key}_former": "wide"}) == {ids[1]}


def test_going_back_tells_first_and_keeps_what_was_entered_since(shop, make_field, values, change):
    key = make_field("Size", "number")
    ids = values(key, 1, 2, 3, None, None)
    change("text")
    with shop.work() as session:
        service = service_for("customers", session)
        for at, typed in ((1, "20"), (2, ""), (3, "40"), (4, "wide")):
            service.update(ids[at], {key: typed})
    with shop.work() as session:
        field = first(session)
        trial = ChangeService(session).back_trial(field.id)
        assert (trial.untouched, trial.converted, trial.taken_out, trial.failed) == (1, 2, 1, 1)
        assert [(one.value, one.record_id) for one in trial.failing] == [("wide", ids[4])]
        ChangeService(session).go_back(field.id)
    assert held(shop, key, ids) == [1, 20, None, 40, None]
    assert found_by(shop, **{f"{key}.gte": "20"}) == {ids[1], ids[3]}
    with shop.work() as session:  # And forth again: the texts are still there.
        ChangeService(session).go_back(first(session).id)
    assert held(shop, key, ids)[4] == "wide"


def test_the_way_back_closes_after_90_days_and_old_values_go(shop, make_field, values, change):
    key = make_field("Size")
    ids = values(key, "12", "wide")
    change("number")
    with clock.ahead(dt.timedelta(days=91)):
        with shop.work() as session, pytest.raises(Conflict):
            ChangeService(session).go_back(first(session).id)
        jobs.app.tasks["fields.forget"].func(tenant_id=str(shop.tenant.id))
    with shop.work() as session:
        field = first(session)
        assert field.former == []
        kept = session.execute(select(Customer.custom).order_by(Customer.id)).scalars().all()
        assert kept == [{"c": {field.slot: 12}}, {"c": {}}]
    assert held(shop, key, ids) == [12, None]


def test_it_is_audited_and_undone(shop, make_field, values):
    key = make_field("Size")
    ids = values(key, "12")
    with shop.work() as session:
        ChangeService(session).start(first(session).id, Wish("number"))
        batch = batch_id(session)
    with shop.work() as session:
        statement = select(AuditEntry).where(AuditEntry.batch_id == batch, AuditEntry.action == "converted")
        assert session.execute(statement).scalar_one().changes["kind"] == ["text", "number"]
    renew(shop)
    with shop.work() as session:
        undo.undo_batch(session, batch)
    assert held(shop, key, ids) == ["12"]


def test_two_admins_at_once_and_another_firm(shop, other_shop, make_field, change):
    make_field("Size")
    with shop.work() as session:
        field_id, version = first(session).id, first(session).version
    change("number")
    with shop.work() as session, pytest.raises(StaleVersion):
        ChangeService(session).start(field_id, Wish("decimal"), version=version)
    with other_shop.work() as session:
        for act in ("trial", "start"):
            with pytest.raises(NotFound):
                getattr(ChangeService(session), act)(field_id, Wish("text"))
        with pytest.raises(NotFound):
            ChangeService(session).go_back(field_id)


def test_the_rights_of_a_field_are_named_and_a_hidden_field_shows_no_values(shop, make_field, values):
    key = make_field("Size")
    values(key, "secret")
    admin = shop.client(shop.member("admin"))
    with shop.work() as session:
        url = f"{URL}/{first(session).id}/kind?to=number"
    assert "secret" in admin.get(url, headers=SCRIPT).text
    with shop.work() as session:
        rule = {"object": "customers", "field": key, "seen_by": "owner", "edited_by": "owner"}
        service_for("field_rules", session).create(rule)
    renew(shop)
    with shop.work() as session:
        field_id = first(session).id
        assert "Field rights" in [one.label for one in uses(session, first(session), None)]
        assert ChangeService(session).proposed(first(session))[0]["label"] == "secret"
    for way in ("kind?to=number", "kind?to=choice", "back", "progress"):
        answer = admin.get(f"{URL}/{field_id}/{way}", headers=SCRIPT)
        assert answer.status_code == 404, way
        assert "secret" not in answer.text


def test_formulas_follow_a_change_and_keep_being_what_they_are(shop, make_field, values, change):
    key = make_field("Size")
    twice = make_field("Twice", "number", formula=f"{key} * 2")
    ids = values(key, "12", "wide")
    work_off(shop)
    assert held(shop, twice, ids) == [None, None]
    with shop.work() as session:
        assert "Twice" in [name for one in uses(session, first(session), None) for name in one.names]
    change("number")
    work_off(shop)
    assert held(shop, twice, ids) == [24, None]
    with pytest.raises(Conflict), shop.work() as session:
        field = session.execute(select(CustomField).where(CustomField.key == twice)).scalar_one()
        ChangeService(session).start(field.id, Wish("text"))


class TestByJob:
    """Many values: a job does it, and people go on working."""

    @pytest.fixture(autouse=True)
    def few_at_once(self, monkeypatch):
        monkeypatch.setattr(changing, "AT_ONCE", 3)
        monkeypatch.setattr(changing, "CHUNK", 2)

    def test_what_is_written_meanwhile_is_not_lost(self, shop, make_field, values, change):
        key = make_field("Size")
        ids = values(key, "1", "2", "3", "4", "5")
        change("number")
        with shop.work() as session:
            field = first(session)
            field_id, token = str(field.id), field.changing["token"]
            assert (field.kind, field.changing["total"]) == ("text", 5)
            with pytest.raises(Conflict):
                ChangeService(session).start(field.id, Wish("decimal"))
        task = jobs.app.tasks["fields.change"].func
        task(tenant_id=str(shop.tenant.id), field_id=field_id, token=token, after="")
        with shop.work() as session:  # The first two are brought over; people change one, clear one, add one.
            assert first(session).changing["done"] == 2
            service = service_for("customers", session)
            service.update(ids[0], {key: "100"})
            service.update(ids[1], {key: ""})
            new = service.create({"name": "New", key: "600"}).id
        work_off(shop)
        assert held(shop, key, [*ids, new]) == [100, None, 3, 4, 5, 600]
        assert found_by(shop, **{f"{key}.gte": "5"}) == {ids[0], ids[4], new}

    def test_who_had_not_heard_of_it_is_followed(self, shop, make_field, values, change):
        key = make_field("Size")
        ids = values(key, "1", "2", "3", "4", "5")
        change("number")
        before = shop.tenant
        work_off(shop)
        shop.tenant = before  # A long request or import that began before.
        with shop.work() as session:
            service_for("customers", session).update(ids[0], {key: "77"})
        renew(shop)
        with shop.work() as session:
            service_for("customers", session).update(ids[1], {key: "88"})
        with clock.ahead(dt.timedelta(hours=4)), shop.work() as session:
            row = first(session)
            since = clock.now() - dt.timedelta(hours=5)
            assert ChangeService(session).follow(row, key, since) == 1
            # Somebody who had read a record before may write it whole, with another field, after the change.
            slot, record = row.slot, session.get(Customer, (shop.tenant.id, ids[2]))
            record.custom = {"c": {name: kept for name, kept in record.custom["c"].items() if name != slot}}
            session.flush()
            assert ChangeService(session).follow(row, key, since) == 1
        assert held(shop, key, ids) == [77, 88, 3, 4, 5]
        assert found_by(shop, **{f"{key}.gte": "70"}) == set(ids[:2])

    def test_it_can_be_stopped(self, shop, make_field, values, change):
        key = make_field("Size")
        ids = values(key, "1", "2", "3", "4", "5")
        change("number")
        with shop.work() as session:
            field = first(session)
            field_id, token = str(field.id), field.changing["token"]
        task = jobs.app.tasks["fields.change"].func
        task(tenant_id=str(shop.tenant.id), field_id=field_id, token=token, after="")
        with shop.work() as session:
            ChangeService(session).stop(field_id)
        work_off(shop)
        assert held(shop, key, ids) == ["1", "2", "3", "4", "5"]
        jobs.app.tasks["fields.forget"].func(tenant_id=str(shop.tenant.id))
        with shop.work() as session:
            assert first(session).former == []
            assert {len(one["c"]) for one in session.execute(select(Customer.custom)).scalars()} == {1}


def test_the_pages_lead_from_choice_to_trial_to_change_and_back(shop, make_field, values):
    key = make_field("Size")
    ids = values(key, "Oak", "oak", "elm")
    client = shop.client()
    made = client.post("/views/new", data={"type": "customers", "name": "Oaken", "query": f"{key}=oak"})
    assert made.status_code < 400, made.text
    with shop.work() as session:
        field_id, version = first(session).id, first(session).version
    url = f"{URL}/{field_id}/kind"
    assert "Whole number" in client.get(url, headers=SCRIPT).text
    assert "Of 3 values 0 convert, 3 do not." in client.get(f"{url}?to=number", headers=SCRIPT).text
    asked = client.get(f"{url}?to=choice", headers=SCRIPT).text
    assert 'value="Oak"' in asked or 'value="oak"' in asked
    form = {
        "option.value": ["", ""],
        "option.label": ["Oak", "Ash"],
        "option.tone": ["", ""],
        "version": str(version),
    }
    tried = client.post(f"{url}?to=choice", data={**form, "act": "try"}, headers=SCRIPT)
    assert "Of 3 values 2 convert, 1 do not." in tried.text
    assert "Oaken" in tried.text
    assert "N 2" in tried.text
    assert held(shop, key, ids) == ["Oak", "oak", "elm"]
    assert client.post(f"{url}?to=choice", data={**form, "act": "change"}, headers=SCRIPT).status_code == 204
    assert held(shop, key, ids) == ["oak", "oak", None]
    again = client.post(f"{url}?to=text", data={"act": "change", "version": str(version)}, headers=SCRIPT)
    assert again.status_code == 409
    told = client.get(f"{URL}/{field_id}/back", headers=SCRIPT).text
    assert "3 records get their old values back" in told
    assert client.post(f"{URL}/{field_id}/back", headers=SCRIPT).status_code == 204
    assert held(shop, key, ids) == ["Oak", "oak", "elm"]
    assert shop.client(shop.member()).get(url).status_code == 403
