"""Files that HubSpot and Zendesk write: their columns are known, and what they point at is linked."""

import pytest
from sqlalchemy import select

from kehu.customers.models import Contact, Customer
from kehu.deals.models import Deal
from kehu.imports import forms
from kehu.imports.services import ImportService
from kehu.imports.tasks import upload_root
from kehu.tickets.models import Ticket

HUBSPOT = {
    "customers": "id,is_deleted,_fivetran_synced,property_name,property_annualrevenue,property_address,property_city,"
    "property_zip\n77,false,2020-12-30 3:15:52,Birch Joinery,10000000,1 Mill Lane,Bath,BA1 1AA\n",
    "contacts": "_fivetran_deleted,id,property_firstname,property_lastname,property_email,property_jobtitle,"
    "property_associatedcompanyid,property_hs_merged_object_ids\n"
    "FALSE,501,Anna,Lindqvist,anna@birch.example,Head of sales,77,76340251;46897301\n"
    "FALSE,502,Bo,,bo@birch.example,,77,\n",
    "deals": "deal_id,is_deleted,deal_pipeline_stage_id,owner_id,property_dealname,property_amount,"
    "property_closedate,property_createdate\n"
    "9001,false,7970058,4727653,Kitchen,1250.50,2020-03-01 10:00:00,2019-12-04 12:48:22\n",
}
LINKS = "contact_id,deal_id,_fivetran_synced,type_id\n501,9001,2022-04-14 4:30:42,3\n"
ZENDESK = {
    "customers": "id,created_at,external_id,name,notes,url\n"
    "37,2020-02-13 22:45:02,,Birch Joinery,An old friend,https://x.zendesk.com/api/v2/organizations/37.json\n",
    "contacts": "id,active,email,locale,name,organization_id,phone\n"
    "1111,TRUE,anna@birch.example,en-US,Anna Lindqvist,37,+44 20 7946 0001\n",
    "tickets": "id,assignee_id,created_at,description,group_id,organization_id,priority,requester_id,status,"
    "subject,url\n"
    "1595,418284,2020-02-19 01:54:52,It creaks,3600069,37,urgent,1111,solved,The door,"
    "https://x.zendesk.com/api/v2/tickets/1595.json\n",
}


def _run(importer, object_name, content, **changes):
    """Import a file as it is proposed."""
    job = importer.take(object_name, content)
    with importer.shop.work() as session:
        service = ImportService(session, upload_root())
        found = service.get(job, lock=True)
        forms.with_proposed_values(found, service.type_of(found), session)
    importer.change(job, **changes)
    return importer.run(job)


def _one(importer, model):
    with importer.shop.work() as session:
        return session.execute(select(model).order_by(model.external_id)).scalars().first()


def test_hubspot_files_come_in_one_after_the_other(importer):
    jobs = []
    for name, text in HUBSPOT.items():
        jobs.append(_run(importer, name, text))
        refused = [row.errors for row in importer.refused(jobs[-1].id)]
        assert (refused, jobs[-1].created_count) == ([], text.count("\n") - 1)
    firm, anna, deal = (_one(importer, model) for model in (Customer, Contact, Deal))
    assert (firm.external_id, firm.name, firm.revenue) == ("77", "Birch Joinery", 1_000_000_000)
    assert [(one["city"], one["postcode"]) for one in firm.addresses] == [("Bath", "BA1 1AA")]
    assert (anna.external_id, anna.name, anna.job_title, anna.customer_id) == (
        "501",
        "Anna Lindqvist",
        "Head of sales",
        firm.id,
    )
    assert (deal.external_id, deal.name, deal.amount, deal.contact_id) == ("9001", "Kitchen", 125050, None)
    assert str(deal.opened_on) == "2019-12-04"
    jobs.append(_run(importer, "deals", LINKS, mode="update"))
    assert (jobs[-1].updated_count, jobs[-1].error_count) == (1, 0)
    assert _one(importer, Deal).contact_id == anna.id
    importer.undo(jobs[-1].id)
    assert _one(importer, Deal).contact_id is None


def test_zendesk_files_come_in_one_after_the_other(importer):
    for name, text in ZENDESK.items():
        done = _run(importer, name, text)
        assert (done.created_count, done.error_count) == (1, 0), [
            row.errors for row in importer.refused(done.id)
        ]
    firm, anna, ticket = (_one(importer, model) for model in (Customer, Contact, Ticket))
    assert (firm.external_id, firm.description, firm.website) == ("37", "An old friend", None)
    assert (anna.customer_id, anna.emails[0]["address"], anna.language) == (
        firm.id,
        "anna@birch.example",
        "en",
    )
    assert (ticket.customer_id, ticket.contact_id, ticket.subject) == (firm.id, anna.id, "The door")
    assert (ticket.status, ticket.priority, ticket.assignee_id) == ("resolved", "urgent", None)


@pytest.mark.parametrize(
    ("object_name", "text", "mapped", "name"),
    [
        (
            "contacts",
            "Vorname;Name\nAnna;Lind\n",
            {"Vorname": "name.given", "Name": "name.family"},
            "Anna Lind",
        ),
        (
            "contacts",
            "Фамилия;Имя\nИванов;Пётр\n",
            {"Фамилия": "name.family", "Имя": "name.given"},
            "Пётр Иванов",
        ),
        ("contacts", "Name;First name;Last name\nAnna B. Lind;Anna;Lind\n", {"Name": "name"}, "Anna B. Lind"),
        ("customers", "Company;First name\nBirch;Anna\n", {"Company": "name"}, "Birch"),
        (
            "customers",
            "First name;Last name\nAnna;Lind\n",
            {"First name": "name.given", "Last name": "name.family"},
            "Anna Lind",
        ),
    ],
)
def test_names_in_one_column_or_two(importer, object_name, text, mapped, name):
    job = importer.take(object_name, text)
    assert importer.columns(job) == mapped
    done = importer.run(job)
    assert (done.created_count, done.error_count) == (1, 0)
    assert _one(importer, Contact if object_name == "contacts" else Customer).name == name
    again = importer.run(importer.take(object_name, text))
    assert (again.created_count, again.unchanged_count) == (0, 1)


REAL = {
    "hubspot/company_data": (
        "customers",
        24,
        "external_id name description industry addresses.street addresses.city addresses.region country revenue",
    ),
    "hubspot/contact_data": ("contacts", 22, "external_id customer_id name.given name.family job_title"),
    "hubspot/deal_data": ("deals", 44, "external_id stage_id owner_id name description amount closed_at opened_on"),
    "hubspot/ticket_data": ("tickets", 25, "external_id priority assignee_id subject description"),
    "zendesk/organization_data": ("customers", 10, "external_id name description"),
    "zendesk/user_data": ("contacts", 10, "external_id emails language name description customer_id phones job_title"),
    "zendesk/ticket_data": (
        "tickets",
        10,
        "external_id assignee_id description queue_id customer_id priority contact_id status subject",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_exports_of_real_accounts(importer, shared_data, name):
    object_name, rows, mapped = REAL[name]
    path = shared_data / "saas-exports-hubspot-zendesk" / f"{name}.csv"
    job = importer.take(object_name, path, path.name)
    assert set(importer.columns(job).values()) == set(mapped.split())
    # What they point at lies in other files, most of which are cut short.
    missing = dict.fromkeys(importer.read(job).options["missing"], "empty")
    values = {"status": {"deleted": "closed"}} if name == "zendesk/ticket_data" else {}
    with importer.shop.work() as session:
        service = ImportService(session, upload_root())
        found = service.get(job, lock=True)
        forms.with_proposed_values(found, service.type_of(found), session)
    proposed = importer.read(job).options["values"]
    merged = {key: proposed.get(key, {}) | values.get(key, {}) for key in {*proposed, *values}}
    importer.change(job, missing=missing, values=merged)
    done = importer.run(job)
    refused = [row.errors for row in importer.refused(job)]
    assert (done.created_count + done.updated_count + done.unchanged_count, refused) == (rows, [])
