"""Reports: each number opens its rows, a plugin's report is like ours, and a fault in one is told and contained."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select, text

from kehu.addons.models import PluginIncident
from kehu.api import Cell, FigureRow, Figures, Period, Report, counted, share, within
from kehu.core import hooks
from kehu.customers.models import Customer
from kehu.customers.services import CustomerService
from kehu.deals.services import DealService
from kehu.reports.views import cell_text, plain
from kehu.testkit.fixtures import Shop, count_queries
from kehu.testkit.switch import disable, enable
from kehu.tickets.services import TicketService
from plugins.declarations import Declarations

SLUG = "automotive"


@pytest.fixture
def firm(shop: Shop) -> Shop:
    """A firm with some records."""
    with shop.work() as session:
        customers = CustomerService(session)
        customers.create({"name": "Harbour Taxis", "type_class": "existing"})
        customers.create({"name": "Northwind Joinery", "type_class": "prospect"})
        deals = DealService(session)
        deals.win(deals.create({"name": "Shop fit-out", "amount": "1200"}).id)
        deals.lose(deals.create({"name": "Stairs", "amount": "500"}).id, "Too dear")
        TicketService(session).create({"subject": "Scratch"})
    return shop


def numbers(page: str) -> list[tuple[str, str]]:
    """Return each number of the table with the address behind it."""
    return [
        (value.strip(), unescape(url))
        for url, value in re.findall(r'<td class="k-num"><a class="k-link" href="([^"]+)">([^<]+)</a>', page)
    ]


@pytest.mark.parametrize("key", ["new_customers", "closed_deals", "tickets"])
def test_each_number_opens_as_many_rows(firm: Shop, other_shop: Shop, key: str) -> None:
    client = firm.client()
    with count_queries() as statements:
        page = client.get(f"/reports/{key}").get_data(as_text=True)
    assert len(statements) <= 12, statements
    found = numbers(page)
    assert [value for value, _url in found if value not in ("0", "50%")]
    for value, url in found:
        rows = client.get(url).get_data(as_text=True)
        if value != "50%":
            assert len(set(re.findall(r'data-row="([^"]+)"', rows))) == int(value), url
    empty = numbers(other_shop.client().get(f"/reports/{key}").get_data(as_text=True))
    assert all(value == "0" for value, _url in empty)


def test_the_period_is_read_and_a_wrong_one_named(firm: Shop) -> None:
    client = firm.client()
    old = client.get("/reports/new_customers?from=2001-01-01&to=2001-12-31").get_data(as_text=True)
    assert (
        "0",
        "/customers?type_class=prospect&created_at.gte=2001-01-01&created_at.lte=2001-12-31",
    ) in numbers(old)
    for query, said in (
        ("from=2026-02-30&to=2026-03-01", "“2026-02-30” is no date"),
        ("from=2026-03-01&to=2026-02-01", "The last day lies before the first one."),
        ("from=1990-01-01&to=2026-02-01", "Ten years are the most at once."),
    ):
        refused = client.get(f"/reports/new_customers?{query}")
        assert refused.status_code == 422
        body = refused.get_data(as_text=True)
        assert said in body
        assert query[5:15] in body


def test_a_file_holds_the_same_numbers(firm: Shop) -> None:
    answer = firm.client().get("/reports/closed_deals.csv")
    assert answer.mimetype == "text/csv"
    lines = answer.get_data(as_text=True).lstrip("\ufeff").splitlines()
    assert lines[0] == '"Closed deals","Won","Lost","Share won"'
    assert lines[1].endswith('"1","1","0.5"')


def test_a_member_sees_the_reports_and_rows_of_his_rights(firm: Shop) -> None:
    actor = firm.member("viewer")
    with firm.work() as session:
        session.execute(
            text(
                "UPDATE roles SET permissions = permissions - 'deals:read' "
                "WHERE tenant_id = :t AND code = 'viewer'"
            ),
            {"t": firm.tenant.id},
        )
    client = firm.client(actor)
    page = client.get("/reports").get_data(as_text=True)
    assert "New customers" in page
    assert "Closed deals" not in page
    assert client.get("/reports/closed_deals").status_code == 404
    assert client.get("/reports/closed_deals.csv").status_code == 404
    assert client.get("/reports/no.such").status_code == 404


class Book:
    """The report of a plugin, and how it behaves."""

    def __init__(self) -> None:
        self.answer: Any = None

    def run(self, ctx: Any, period: Period) -> Any:
        if self.answer == "INSERT":
            CustomerService(ctx.session).create({"name": "Slipped in"})
        elif isinstance(self.answer, str):
            ctx.session.execute(text(self.answer))
        if self.answer is not None:
            return self.answer
        all_, new = counted(ctx.session, "customers", [{}, within("created_at", period)])
        rows = (FigureRow(label="Customers", cells=(all_, new, share(new, all_.value))),)
        return Figures(columns=("All", "New", "Share"), rows=rows, note="Counted today.")


@pytest.fixture
def book(firm: Shop, monkeypatch: pytest.MonkeyPatch) -> Book:
    """The built-in plugin, on, with a report of this test's own."""
    made = Book()
    report = Report(
        name="book", title="Who came", run=made.run, permission="customers:read", summary="All of them."
    )
    whole = Declarations()
    whole.extend(hooks.host().declarations)
    whole.reports = [(SLUG, report)]
    monkeypatch.setattr(hooks.host(), "_declarations", whole)
    monkeypatch.setattr(hooks.host().relay, "strict", False)
    enable(firm, SLUG)
    return made


def test_a_plugin_s_report_stands_beside_ours_where_it_is_on(
    firm: Shop, book: Book, other_shop: Shop
) -> None:
    client = firm.client()
    assert "Who came" in client.get("/reports").get_data(as_text=True)
    page = client.get(f"/reports/{SLUG}.book").get_data(as_text=True)
    assert numbers(page)[0] == ("2", "/customers")
    assert numbers(page)[2][0] == "100%"
    assert "Counted today." in page
    assert '"Who came","All","New","Share"' in client.get(f"/reports/{SLUG}.book.csv").get_data(as_text=True)
    assert other_shop.client().get(f"/reports/{SLUG}.book").status_code == 404
    disable(firm, SLUG)
    assert client.get(f"/reports/{SLUG}.book").status_code == 404


@pytest.mark.parametrize("answer", ["SELECT 1 / 0", [1, 2], "INSERT"])
def test_a_failing_report_is_told_and_recorded(firm: Shop, book: Book, answer: Any) -> None:
    book.answer = answer
    client = firm.client()
    page = client.get(f"/reports/{SLUG}.book")
    assert page.status_code == 200
    assert "failed here. Nothing was changed, and the fault was recorded." in page.get_data(as_text=True)
    assert client.get(f"/reports/{SLUG}.book.csv").status_code == 503
    with firm.work() as session:
        fault = session.execute(select(PluginIncident)).scalar_one()
        assert (fault.slug, fault.hook, fault.count) == (SLUG, "report book", 2)
        assert "Slipped in" not in {one.name for one in session.execute(select(Customer)).scalars()}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Cell(value="3"), "is no number"),
        (lambda: Cell(value=True), "is no number"),
        (lambda: Cell(value=0.5), "no whole number"),
        (lambda: Cell(value=5, kind="money"), "no currency"),
        (lambda: Cell(value=5, kind="euros"), "Use one of: count"),
        (lambda: Cell(value=5, url="https://example.com"), "Make it with url_for"),
        (lambda: Cell(value=5, url="//example.com"), "Make it with url_for"),
        (lambda: Figures(columns=("A",), rows=(FigureRow(label="x", cells=()),)), "0 figures for 1 columns"),
        (lambda: Report(name="A b", title="A", run=print, permission="a:b"), "small letters"),
        (lambda: Report(name="ab", title="A", run=print, permission="ab"), "resource:action"),
    ],
)
def test_what_is_no_figure_is_refused_where_it_is_made(make: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def test_figures_are_written_for_people_and_for_programs(firm: Shop) -> None:
    with firm.app.test_request_context():
        assert str(cell_text(Cell(value=12345))) == "12,345"
        assert str(cell_text(Cell(value=0.256, kind="percent"))) == "26%"
        assert str(cell_text(Cell(value=None))) == "–"
        assert "12.50" in str(cell_text(Cell(value=1250, kind="money", currency="EUR")))
    assert plain(Cell(value=1250, kind="money", currency="EUR")) == "12.50"
    assert plain(Cell(value=None)) == ""
