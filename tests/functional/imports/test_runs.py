"""What happens to rows: known and new ones, names of others, crashes, taking back."""

import pytest
from sqlalchemy import select

from kehu.activities.models import Activity
from kehu.consent.services import ConsentService
from kehu.core.records.service import service_for
from kehu.customers.models import Contact, Customer
from kehu.deals.models import Deal
from kehu.imports import runner, tasks
from kehu.imports.services import ImportService
from kehu.imports.tasks import upload_root
from kehu.members.models import Member
from kehu.tickets.models import Ticket


def _one(importer, model, **values):
    with importer.shop.work() as session:
        statement = select(model).filter_by(**values).where(model.deleted_at.is_(None))
        return session.execute(statement).scalar_one()


def _counts(job):
    return job.created_count, job.updated_count, job.unchanged_count, job.error_count


FILES = {
    "customers": "Company,E-mail,Phone,City,Tags\nNorthwind,a@nw.example,020 7946 4410,Leeds,vip;old\nOak,,,,\n",
    "contacts": "Full name,Company,E-mail,Job title\n"
    "Anna Lind,Northwind,anna@nw.example,Buyer\nBo Ek,Northwind,,Clerk\n",
    "deals": 'Deal name,Account,Amount,Close date,Stage\nShop fit-out,Northwind,"12,500.50",2030-05-01,Negotiation\n',
    "tickets": "Subject,Requester e-mail,Priority,Status\nScratch on panel,anna@nw.example,High,Open\n",
    "activities": "Subject,Type,Due date,Company\n"
    "Call back,Call,2030-01-02 10:30,Northwind\nSend offer,Task,2030-01-03,Northwind\n",
    "owned_items": "Item,Serial number,Customer,In service\nHeat pump,HP-0004711,Northwind,2024-03-01\n",
    "owned_item_terms": "Name,Owned item,Start date,Months\nFactory warranty,Heat pump,2024-03-01,24\n",
    "resources": "Name,Kind of resource,Branch\nLift 1,Lift,North\n",
    "bookings": "What for,Resource,From,To\nFitting,Lift 1,2024-01-02 10:00,2024-01-02 11:00\n",
    "products": "Product,SKU,Unit price\nOak worktop,OW-40,199.90\nShelf,S-1,20\n",
}


def test_every_type_comes_in_once_and_goes_again(importer):
    done = []
    for name, content in FILES.items():
        import_id = importer.take(name, content)
        job = importer.run(import_id)
        assert (job.state, job.error_count) == ("done", 0), [
            row.errors for row in importer.refused(import_id)
        ]
        assert job.created_count == content.count("\n") - 1
        again = importer.run(importer.take(name, content))
        assert _counts(again) == (0, 0, content.count("\n") - 1, 0), name
        done.append((name, import_id))
    customer = _one(importer, Customer, name="Northwind")
    assert (customer.addresses[0]["city"], customer.tags, customer.phone_norm) == (
        "Leeds",
        ["vip", "old"],
        "+442079464410",
    )
    deal = _one(importer, Deal, name="Shop fit-out")
    assert (deal.amount, str(deal.expected_close), deal.closed_at, deal.customer_id) == (
        1250050,
        "2030-05-01",
        None,
        customer.id,
    )
    assert _one(importer, Contact, name="Anna Lind").customer_id == customer.id
    assert _one(importer, Ticket, subject="Scratch on panel").channel == "import"
    assert _one(importer, Activity, subject="Call back").kind == "call"
    for name, import_id in reversed(done):
        assert importer.undo(import_id).report.get("kept") is None, name
        assert importer.live(name) == 0


def test_known_records_change_and_come_back(importer, shop):
    importer.run(
        importer.take(
            "customers",
            "Name,E-mail,Industry,Tags\nNorthwind,a@nw.example,Wood,vip\nOak,o@oak.example,Wood,\n",
        )
    )
    second = importer.take(
        "customers",
        "Name,E-mail,Industry,Tags\nNorthwind Ltd,A@NW.example,Timber,new\nOak,o@oak.example,,\nElm,,Paper,\n",
    )
    assert importer.columns(second)["E-mail"] == "emails"
    assert _counts(importer.run(second)) == (1, 1, 1, 0)
    changed = _one(importer, Customer, email_norm="a@nw.example")
    assert (changed.name, changed.industry, changed.tags) == ("Northwind Ltd", "Timber", ["vip", "new"])
    assert _one(importer, Customer, name="Oak").industry == "Wood"
    undone = importer.undo(second)
    assert undone.report.get("kept") is None
    back = _one(importer, Customer, email_norm="a@nw.example")
    assert (back.name, back.industry, back.tags) == ("Northwind", "Wood", ["vip"])
    assert importer.live("customers") == 2


def test_consents_come_with_their_history(importer, shop):
    job = importer.take(
        "contacts",
        "Full name,E-mail,Newsletter\nAnna,a@nw.example,yes\nBo,b@nw.example,No\nCy,c@nw.example,\n",
    )
    assert importer.columns(job)["Newsletter"] == "mail_consent"
    assert importer.run(job).error_count == 0
    with shop.work() as session:
        service = ConsentService(session)
        for name, expected in (("Anna", ["given"]), ("Bo", ["withdrawn"]), ("Cy", [])):
            contact = session.execute(select(Contact).where(Contact.name == name)).scalar_one()
            history = service.history(service.person("contacts", contact.id))
            assert [one.state for one in history] == expected
            assert all(one.how == "import" for one in history)


def test_what_people_changed_since_stays(importer, shop):
    first = importer.take("customers", "Name,Industry\nNorthwind,Wood\nOak,Wood\nElm,Wood\n")
    importer.run(first)
    second = importer.take("customers", "Name,Industry\nNorthwind,Timber\nOak,Timber\n")
    importer.run(second)
    with shop.work() as session:
        customers = service_for("customers", session)
        customers.update(_one(importer, Customer, name="Oak").id, {"industry": "Stone"})
        service_for("deals", session).create(
            {"name": "Fit-out", "customer_id": _one(importer, Customer, name="Elm").id}
        )
    undone = importer.undo(second)
    assert [(title, reason) for _object, _id, title, reason in undone.report["kept"]] == [
        ("Oak", "It was changed since.")
    ]
    assert _one(importer, Customer, name="Northwind").industry == "Wood"
    assert _one(importer, Customer, name="Oak").industry == "Stone"
    # What the undo of the second import wrote is somebody's change to the first one.
    kept = {entry[2]: entry[3] for entry in importer.undo(first).report["kept"]}
    assert kept["Elm"] == "Other records belong to it."
    assert kept["Oak"] == "It was changed since."


def test_repeated_rows_change_the_first(importer):
    content = "Name,Industry\n" + "".join(f"Firm {n % 700},Branch {n}\n" for n in range(1400))
    import_id = importer.take("customers", content)
    checked = importer.check(import_id)
    assert _counts(checked) == (700, 700, 0, 0)
    assert _counts(importer.run(import_id)) == (700, 700, 0, 0)
    assert _one(importer, Customer, name="Firm 5").industry == "Branch 705"
    close = importer.run(importer.take("customers", "Name,Industry\nA,1\nB,1\nA,2\na,3\n"))
    assert _counts(close) == (2, 2, 0, 0)
    assert _one(importer, Customer, name="a").industry == "3"


def test_modes(importer):
    importer.run(importer.take("customers", "Name,Industry\nNorthwind,Wood\n"))
    content = "Name,Industry\nNorthwind,Timber\nOak,Timber\n"
    only_new = importer.take("customers", content)
    importer.change(only_new, mode="create")
    assert _counts(importer.run(only_new)) == (1, 0, 1, 0)
    only_known = importer.take("customers", content.replace("Oak", "Elm"))
    importer.change(only_known, mode="update")
    assert _counts(importer.run(only_known)) == (0, 1, 0, 1)
    assert "not to be made" in importer.refused(only_known)[0].errors[""]


def test_two_people_of_one_name_stay_two(importer):
    content = "Name,Company,E-mail\nJo Bell,Oak,jo1@oak.example\nJo Bell,Oak,jo2@oak.example\n"
    importer.run(importer.take("customers", "Name\nOak\n"))
    job = importer.run(importer.take("contacts", content))
    assert _counts(job) == (2, 0, 0, 0)
    assert _counts(importer.run(importer.take("contacts", content))) == (0, 0, 2, 0)


def test_unknown_names(importer, shop):
    content = "Deal name,Account,Owner\nOne,Nobody Ltd,Ann Other\nTwo,nobody ltd.,Mira Sol\n"
    import_id = importer.take("deals", content)
    checked = importer.check(import_id)
    assert checked.error_count == 2
    assert "There is no customer “Nobody Ltd”" in next(iter(importer.refused(import_id)[0].errors.values()))
    importer.change(import_id, missing={"customer_id": "create", "owner_id": "create"}, keys=["name"])
    job = importer.run(import_id)
    assert _counts(job) == (2, 0, 0, 0)
    assert job.report["made"]["members"] == ["Ann Other"]
    assert importer.undo(import_id).report.get("kept") is None
    assert (importer.live("customers"), importer.live("deals"), importer.live("members")) == (0, 0, 1)
    importer.change(importer.take("deals", content), missing={"customer_id": "empty", "owner_id": "error"})


def test_a_manager_makes_no_members(importer, shop):
    importer.actor = shop.member("manager")
    import_id = importer.take("customers", "Name,Owner\nOak,Ann Other\nElm,Mira Sol\n")
    job = importer.run(import_id)
    assert _counts(job) == (1, 0, 0, 1)
    assert "Invite this person" in importer.refused(import_id)[0].errors["1"]
    assert _one(importer, Customer, name="Elm").owner_id == shop.owner.member_id
    importer.change(importer.take("customers", "Name,Owner\nOak,Ann Other\n"), missing={"owner_id": "create"})
    with shop.work() as session:
        assert session.execute(select(Member.id).where(Member.name == "Ann Other")).first() is None


def test_a_killed_run_goes_on_without_doubles(importer, monkeypatch):
    content = "Name,Belongs to\n" + "".join(
        f"Firm {n},{'Firm 0' if n % 3 == 0 and n else ''}\n" for n in range(1200)
    )
    import_id = importer.take("customers", content)
    importer.check(import_id)
    with importer.shop.work() as session:
        service = ImportService(session, upload_root())
        service.start(service.get(import_id, lock=True))
    calls = []

    class Killed(BaseException):
        pass

    real = runner._keep_refused

    def dying(*arguments):
        calls.append(1)
        if len(calls) in (2, 5):
            raise Killed
        real(*arguments)

    monkeypatch.setattr(runner, "_keep_refused", dying)
    with pytest.raises(Killed):
        importer.job(tasks.run, import_id)
    assert (importer.read(import_id).done_rows, importer.live("customers")) == (500, 500)
    with pytest.raises(Killed):
        importer.job(tasks.run, import_id)
    assert (importer.read(import_id).report["pass"], importer.live("customers")) == (2, 1200)
    importer.job(tasks.run, import_id)
    job = importer.read(import_id)
    assert (job.state, _counts(job), importer.live("customers")) == ("done", (1200, 0, 0, 0), 1200)
    with importer.shop.work() as session:
        linked = session.execute(select(Customer.id).where(Customer.parent_id.is_not(None))).scalars().all()
    assert len(linked) == 399
    importer.job(tasks.run, import_id)  # A job that was queued twice finds nothing to do.
    assert importer.live("customers") == 1200


def test_a_failed_run_says_why_and_goes_on(importer, monkeypatch):
    import_id = importer.take("customers", "Name\n" + "".join(f"Firm {n}\n" for n in range(700)))
    importer.check(import_id)
    with importer.shop.work() as session:
        service = ImportService(session, upload_root())
        service.start(service.get(import_id, lock=True))
    broken = iter([False, True])
    real = runner._keep_refused
    monkeypatch.setattr(runner, "_keep_refused", lambda *a: 1 / 0 if next(broken, False) else real(*a))
    importer.job(tasks.run, import_id)
    job = importer.read(import_id)
    assert (job.state, job.done_rows, importer.live("customers")) == ("failed", 500, 500)
    assert "Something went wrong on our side" in job.message
    with importer.shop.work() as session:
        service = ImportService(session, upload_root())
        service.again(service.get(import_id, lock=True))
    importer.job(tasks.run, import_id)
    assert (importer.read(import_id).state, importer.live("customers")) == ("done", 700)


def test_stop_and_take_back(importer, monkeypatch):
    import_id = importer.take("customers", "Name\n" + "".join(f"Firm {n}\n" for n in range(700)))
    importer.check(import_id)
    with importer.shop.work() as session:
        service = ImportService(session, upload_root())
        service.start(service.get(import_id, lock=True))
        service.stop(service.get(import_id, lock=True))
    importer.job(tasks.run, import_id)
    assert importer.live("customers") == 0
    assert importer.read(import_id).state == "failed"
    assert importer.undo(import_id).state == "undone"


def test_the_mapping_is_remembered(importer):
    content = "A strange head,Another\nNorthwind,Wood\n"
    first = importer.take("customers", content)
    assert importer.columns(first) == {}
    from kehu.imports.mapping import ColumnUse

    importer.change(
        first, columns={0: ColumnUse(target="name"), 1: ColumnUse(target="industry")}, keys=["name"]
    )
    importer.run(first)
    assert importer.columns(importer.take("customers", content)) == {
        "A strange head": "name",
        "Another": "industry",
    }


def test_hostile_rows_are_refused_and_the_rest_comes_in(importer, shop):
    content = (
        "Name,Industry,Founded\n"
        "Good,Wood,1990\n"
        "Ragged,Wood,1990,more,cells\n"
        "Nul\x00led,Wood,1990\n"
        f"{'x' * 3000},Wood,1990\n"
        "=HYPERLINK(1),Wood,nineteen\n"
        "Short\n"
        "=cmd|' /C calc'!A0,Wood,1990\n"
    )
    import_id = importer.take("customers", content)
    job = importer.run(import_id)
    assert _counts(job) == (3, 0, 0, 4)
    with shop.client().get(f"/imports/{import_id}/errors.csv") as answer:
        table = answer.get_data(as_text=True)
    assert '"\'=HYPERLINK(1)"' in table
    assert table.count("\n") == 5
    assert "\x00" not in table


def test_old_encodings(importer, shared_data):
    import_id = importer.take(
        "customers", shared_data / "names-places-cjk-cyrillic" / "china_areas.gb18030.csv"
    )
    job = importer.read(import_id)
    assert job.format["read"]["encoding"] == "gb18030"
    assert importer.columns(import_id)["name"] == "name"
    russian = importer.take(
        "customers", "Компания;Почта;Город\nСамара Лес;les@samara.example;Самара\n".encode("cp1251")
    )
    assert _counts(importer.run(russian)) == (1, 0, 0, 0)
    assert _one(importer, Customer, name="Самара Лес").addresses[0]["city"] == "Самара"
