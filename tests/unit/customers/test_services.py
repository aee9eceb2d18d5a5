"""Customers and contacts: what goes along with what."""

import pytest

from kehu.core.errors import Conflict, InvalidInput, NotFound
from kehu.core.records import undo
from kehu.customers.services import ContactService, CustomerService


def test_contacts_go_to_the_trash_and_back_with_their_customer(shop):
    with shop.work() as session:
        customer = CustomerService(session).create({"name": "Northwind"}).id
        early = ContactService(session).create({"name": "Early", "customer_id": str(customer)}).id
        late = ContactService(session).create({"name": "Late", "customer_id": str(customer)}).id
    with shop.work() as session:
        ContactService(session).trash(early)
    with shop.work() as session:
        CustomerService(session).trash(customer)
    with shop.work() as session:
        with pytest.raises(NotFound):
            ContactService(session).get(late)
        with pytest.raises(Conflict):
            ContactService(session).restore(late)
        CustomerService(session).restore(customer)
    with shop.work() as session:
        assert ContactService(session).get(late).name == "Late"
        with pytest.raises(NotFound):
            ContactService(session).get(early)


def test_undo_of_trash_brings_contacts_back_without_complaint(shop):
    with shop.work() as session:
        customer = CustomerService(session).create({"name": "Northwind"}).id
        contact = ContactService(session).create({"name": "Anna", "customer_id": str(customer)}).id
    with shop.work() as session:
        CustomerService(session).trash(customer)
        batch = session.info["audit_batch"]
    with shop.work() as session:
        assert undo.undo_batch(session, batch).kept == []
        assert ContactService(session).get(contact).deleted_at is None


def test_a_contact_belongs_to_whom_its_customer_belongs_to(shop):
    seller = shop.member("member")
    with shop.work(seller) as session:
        customer = CustomerService(session).create({"name": "Northwind"}).id
    with shop.work() as session:
        made = ContactService(session).create({"name": "Anna", "customer_id": str(customer)})
        assert made.owner_id == seller.member_id


def test_no_customer_belongs_to_itself(session):
    service = CustomerService(session)
    parent = service.create({"name": "Group"})
    child = service.create({"name": "Branch", "parent_id": str(parent.id)})
    with pytest.raises(InvalidInput):
        service.update(parent.id, {"parent_id": str(child.id)})
