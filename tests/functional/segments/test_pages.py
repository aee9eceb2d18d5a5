"""Segments on pages: kept from a list, used as a filter, few statements, rights, filters of plugins."""

import re

import pytest
from sqlalchemy import exists

from kehu.core import hooks
from kehu.core.errors import InvalidInput
from kehu.core.records.service import service_for
from kehu.core.records.types import get as get_type
from kehu.segments import services
from kehu.segments.services import SegmentService
from kehu.testkit.fixtures import count_queries
from kehu.testkit.switch import disable, enable
from plugins.results import Criterion

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def customers(shop):
    """Two customers of different worth."""
    with shop.work() as session:
        make = service_for("customers", session).create
        return [make({"name": name, "value_class": mark}).id for name, mark in (("Ann", "A"), ("Bo", "B"))]


def text_of(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def test_from_the_list_to_a_segment_and_back(shop, customers):
    client = shop.client()
    listed = text_of(client, "/customers?value_class=A")
    assert "/segments/keep?type=customers&amp;query=value_class%3DA" in listed
    form = {"type": "customers", "query": "value_class=A", "name": "", "segment": ""}
    answer = client.post("/segments/keep", data=form)
    assert answer.status_code == 422
    assert "value_class=A" in answer.get_data(as_text=True)
    answer = client.post("/segments/keep", data={**form, "name": "Good ones"})
    assert answer.status_code == 303
    page = answer.location
    with count_queries() as statements:
        text = text_of(client, page)
    assert len(statements) <= 9, "\n".join(statements.texts)
    assert "Ann" in text
    assert ">Bo<" not in text
    segment = page.rpartition("/")[2]
    with count_queries() as statements:
        text = text_of(client, f"/customers?segment={segment}")
    assert len(statements) <= 9, "\n".join(statements.texts)
    assert "Segment: Good ones" in text
    assert ">Ann<" in text
    assert ">Bo<" not in text
    assert (
        client.post("/segments/keep", data={**form, "query": "value_class=B", "segment": segment}).status_code
        == 303
    )
    assert ">Bo<" in text_of(client, f"/customers?segment={segment}")
    with count_queries() as statements:
        assert "Good ones" in text_of(client, "/segments")
    assert len(statements) <= 8, "\n".join(statements.texts)
    assert "This filter can not be used" in text_of(
        client, "/customers?segment=018f0000-0000-7000-8000-000000000000"
    )
    assert "/customers/criteria" in text_of(client, "/customers")
    dialog = text_of(client, f"/customers/criteria?segment={segment}&value_class=B")
    for part in (
        "Has an open deal",
        "Days without contact, from",
        'name="value_class" value="B"',
        "/segments",
    ):
        assert part in dialog
    assert "no further filters" in text_of(client, "/deals/criteria")
    assert client.get("/customers/filter/open_deal", headers=HTMX).status_code == 200
    assert re.search("quiet_days.gte", text_of(client, "/customers/filter/quiet_days"))


def test_rights_and_foreign_firms(shop, other_shop, customers):
    with shop.work() as session:
        segment = SegmentService(session).create({"name": "All", "object": "customers"}).id
    viewer, stranger = shop.client(shop.member("viewer")), other_shop.client()
    assert "Who is in it" in text_of(viewer, f"/segments/{segment}")
    assert viewer.post("/segments/keep", data={"name": "x"}).status_code == 403
    assert stranger.get(f"/segments/{segment}").status_code == 404
    assert "This filter can not be used" in text_of(stranger, f"/customers?segment={segment}")


class Filter:
    """A plugin's filter that can be told to fail."""

    fault = False

    def condition(self, ctx, customer_id, asked):
        """Return who is named so, as a plugin with a table of its own would."""
        if self.fault:
            raise ValueError("no")
        row = get_type("customers").model.__table__.alias()
        named = exists().where(row.c.tenant_id == ctx.tenant.id, row.c.id == customer_id, row.c.name == "Ann")
        return named if asked.yes else ~named


def test_a_plugin_adds_a_filter(shop, customers, monkeypatch):
    plugin = Filter()
    declared = hooks.host().declarations
    one = Criterion(key="automotive.is_ann", label="Is Ann", kind="bool", condition=plugin.condition)
    monkeypatch.setattr(declared, "segments", [("automotive", one)])
    client = shop.client()
    assert "Is Ann" not in text_of(client, "/customers/criteria")
    enable(shop, "automotive")
    assert "Is Ann" in text_of(client, "/customers/criteria")
    assert ">Bo<" not in text_of(client, "/customers?automotive_is_ann=1")
    assert ">Bo<" in text_of(client, "/customers?automotive_is_ann=0")
    answer = client.post(
        "/segments/keep", data={"type": "customers", "query": "automotive_is_ann=1", "name": "Anns"}
    )
    page = answer.location
    assert ">Bo<" not in text_of(client, page)
    monkeypatch.setattr(hooks.host().relay, "strict", False)
    plugin.fault = True
    assert "does not answer just now" in text_of(client, "/customers?automotive_is_ann=1")
    assert "Nobody is in this segment now" in text_of(client, page)
    disable(shop, "automotive")
    text = text_of(client, page)
    assert "Nobody is in this segment now" in text
    with shop.work() as session, pytest.raises(InvalidInput):
        services.members(SegmentService(session).get(page.rpartition("/")[2]))


@pytest.mark.parametrize(
    "values",
    [
        {"key": "dentist", "kind": "bool"},
        {"key": "dentist.due", "kind": "text"},
        {"key": "dentist.due", "kind": "choice"},
        {"key": "dentist.due", "kind": "bool", "options": (("a", "A"),)},
    ],
)
def test_a_bad_declaration_says_what_is_wrong(values):
    with pytest.raises(ValueError, match=r"dentist|kind"):
        Criterion(label="Due", condition=print, **values)
