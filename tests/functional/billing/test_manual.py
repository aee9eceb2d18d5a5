"""The operator bills by bank transfer: plan and seats set with a reason, invoices numbered without a gap."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from decimal import Decimal

import pytest
from babel import Locale
from click.testing import CliRunner
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import select

from billing import commands, modes, numbers
from billing.accounts import AccountService
from billing.manual import ManualService
from billing.models import Invoice, Refund
from billing.papers import draw, draw_credit_note
from billing.phases import Phase
from billing.purchases import PurchaseService
from billing.refunds import Left, RefundService
from billing.taxes import tax_on
from kehu.core import clock, context
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, Forbidden, NotFound
from kehu.core.ids import new_id
from kehu.testkit.fixtures import Shop, make_shop, operator_client
from plugins.results import BillingMode
from tests.papers import fonts_of, words_of

DAY = dt.timedelta(days=1)


@pytest.fixture
def manual(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run in the mode manual."""
    monkeypatch.setattr(modes, "_seller", ("Kehu Ltd", "1 High Street, London"))
    with modes.use(BillingMode.MANUAL):
        yield


def without_trial(session: object) -> None:
    account = AccountService(session).lock()  # type: ignore[arg-type]
    account.trial_ends_at = clock.now() - DAY


def invoices(session: object) -> list[Invoice]:
    return list(session.execute(select(Invoice).order_by(Invoice.made_at)).scalars())  # type: ignore[attr-defined]


def test_a_firm_is_billed_falls_behind_and_pays(manual: None, shop: Shop) -> None:
    with shop.work(context.SYSTEM) as session:
        without_trial(session)
        found = ManualService(session).set_plan("team", "year", 4, "signed offer 17")
        assert found.phase is Phase.ACTIVE
        first = invoices(session)[0]
        assert (first.status, first.net, first.due_at) == ("open", 48000, first.made_at + DAY * 14)
        assert AccountService(session).lock().seats_cap == 4
    for days, phase in ((13, Phase.ACTIVE), (15, Phase.GRACE), (43, Phase.GRACE), (45, Phase.RESTRICTED)):
        with clock.ahead(DAY * days), shop.work(context.SYSTEM) as session:
            assert PurchaseService(session).check().phase is phase
    with clock.ahead(DAY * 46), shop.work(context.SYSTEM) as session:
        service = ManualService(session)
        with pytest.raises(NotFound):
            service.paid("2000-00001", clock.now(), "bank")
        assert service.paid(first.number, clock.now(), "bank transfer").phase is Phase.ACTIVE
        said = session.execute(select(AuditEntry.changes).where(AuditEntry.action == "operator")).scalars()
        assert {reason for change in said for _what, reason in change.values()} == {
            "signed offer 17",
            "bank transfer",
        }


def test_a_period_ends_on_the_day_that_was_agreed_and_is_billed_again(manual: None, shop: Shop) -> None:
    until = clock.now() + DAY * 10
    with shop.work(context.SYSTEM) as session:
        without_trial(session)
        service = ManualService(session)
        service.set_plan("team", "month", 2, "agreed", until)
        service.paid(invoices(session)[0].number, clock.now(), "bank")
    with clock.ahead(DAY * 11), shop.work(context.SYSTEM) as session:
        assert PurchaseService(session).check().phase is Phase.ACTIVE
        assert [one.status for one in invoices(session)] == ["paid", "open"]
        ManualService(session).void(invoices(session)[1].number, "agreed by phone")
        ManualService(session).end("they leave")
    with clock.ahead(DAY * 50), shop.work(context.SYSTEM) as session:
        assert PurchaseService(session).check().phase is Phase.ENDED


def test_admins_of_the_firm_order_nothing_themselves(manual: None, shop: Shop) -> None:
    with shop.work() as session:
        service = PurchaseService(session)
        wish = service.wish("team", "month", "3")
        shown = service.preview(wish)
        with pytest.raises(Conflict, match="sets plan and seats"):
            service.order(wish, shown.at, shown.total)
    page = shop.client().get("/settings/billing").get_data(as_text=True)
    assert "Invoices by your provider" in page
    assert "Choose Team" not in page


def test_only_the_mode_manual_has_an_operator_at_the_till(demo: None, shop: Shop) -> None:
    with shop.work(context.SYSTEM) as session, pytest.raises(Forbidden):
        ManualService(session)


def test_case_64_credit_notes_have_a_range_of_their_own(manual: None, shop: Shop) -> None:
    with shop.work(context.SYSTEM) as session:
        without_trial(session)
        service = ManualService(session)
        service.set_plan("team", "month", 2, "agreed")
        first = invoices(session)[0]
        give, asked = RefundService(session), new_id()
        assert give.credit(first, 1000, "a week late", request_id=asked).state == "done"
        assert give.credit(first, 1000, "a week late", request_id=asked).state == "done"
        assert (first.total - first.due, first.status, give.left(first).refund) == (1000, "open", 0)
        service.paid(first.number, clock.now(), "bank")
        assert (first.paid, first.due) == (first.total - 1000, 0)
        assert give.left(first) == Left(currency=first.currency, credit=first.paid, refund=first.paid)
        assert give.refund(first, 500, "goodwill", request_id=new_id()).state == "done"
        give.credit(first, 700, "for the next one", request_id=new_id())
        notes = {one.reason: one for one in give.given()}
        assert [notes[name].refunded for name in ("a week late", "goodwill", "for the next one")] == [
            0,
            500,
            0,
        ]
        serials = sorted(int(one.number.partition("-")[2]) for one in notes.values())
        assert [one - serials[0] for one in serials] == [0, 1, 2]
        assert all(one.number.startswith("C20") for one in notes.values())
        money = session.execute(select(Refund)).scalar_one()
        assert (money.amount, money.status) == (500, "succeeded")
        assert PurchaseService(session).standing().phase is Phase.ACTIVE
        note_id = notes["goodwill"].id
    client = shop.client()
    page = client.get("/settings/billing").get_data(as_text=True)
    assert f"Credit note on {first.number}" in page
    paper = client.get(f"/settings/billing/credit-notes/{note_id}.pdf")
    assert (paper.status_code, paper.data[:4]) == (200, b"%PDF")
    other = make_shop(shop.app).client()
    assert other.get(f"/settings/billing/credit-notes/{note_id}.pdf").status_code == 404
    with clock.ahead(DAY * 32), shop.work(context.SYSTEM) as session:
        PurchaseService(session).check()
        second = invoices(session)[1]
        assert (second.status, second.total - second.due) == ("open", 700)
        ManualService(session).paid(second.number, clock.now(), "bank")
        assert second.paid == second.total - 700


def test_what_is_set_within_the_trial_is_first_billed_at_its_end(manual: None, shop: Shop) -> None:
    with shop.work(context.SYSTEM) as session:
        service = ManualService(session)
        service.set_plan("team", "month", 2, "agreed")
        assert service.set_plan("team", "month", 4, "two more").phase is Phase.ACTIVE
        assert not invoices(session)
    with clock.ahead(DAY * 16), shop.work(context.SYSTEM) as session:
        PurchaseService(session).check()
        (first,) = invoices(session)
        assert (first.net, first.status, first.lines[0]["seats"]) == (4 * 1200, "open", 4)
    with clock.ahead(DAY * 31), shop.work(context.SYSTEM) as session:
        assert PurchaseService(session).check().phase is Phase.GRACE


def test_what_comes_to_less_than_nought_is_credit_and_owed_by_nobody(manual: None, shop: Shop) -> None:
    with shop.work(context.SYSTEM) as session:
        without_trial(session)
        service = ManualService(session)
        service.set_plan("team", "month", 20, "agreed")
        service.paid(invoices(session)[0].number, clock.now(), "bank")
        service.set_plan("business", "month", 5, "a larger plan for far fewer people")
        less = invoices(session)[1]
        assert (less.status, less.paid, less.due) == ("paid", 0, 0)
        assert less.total < 0
    with clock.ahead(DAY * 20), shop.work(context.SYSTEM) as session:
        assert PurchaseService(session).check().phase is Phase.ACTIVE
        # An invoice that is called off gives the credit back that it used up.
        service = ManualService(session)
        for _time in range(2):
            service.bill("Training", 50000, "order 20", request_id=new_id())
            last = invoices(session)[-1]
            assert last.total - last.due == -less.total
            service.void(last.number, "not held")


def test_commands_credit_and_refund(manual: None, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop.work(context.SYSTEM) as session:
        without_trial(session)
        ManualService(session).set_plan("team", "month", 2, "agreed")
        number, status = invoices(session)[0].number, "open"
    monkeypatch.setattr(commands, "make_app", lambda: shop.app)
    for command, more, said in (
        ("refund", [], f"Nothing of invoice {number} can be paid back"),
        ("credit", ["--amount", "no"], "no amount above nought"),
        ("credit", ["--amount", "1.5"], f"the credit note on {number} is written"),
        ("credit", ["--amount", "9999"], f"that is left of invoice {number}"),
        ("credit", [], f"the credit note on {number} is written"),
    ):
        asked = [command, shop.tenant.address, number, "--reason", "a test", *more]
        assert said in CliRunner().invoke(commands.group, asked).output
    with shop.work() as session:
        status = invoices(session)[0].status
    assert status == "paid"


def test_case_65_the_operator_looks_tax_ids_up(
    manual: None, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "make_app", lambda: shop.app)
    runner = CliRunner()
    with shop.work(context.SYSTEM) as session:
        without_trial(session)
        account = AccountService(session).lock()
        account.country = "FR"
        assert AccountService(session).set_details(
            {"tax_id": "fr AB 123.456.789", "legal_name": "Garage SARL", "address": "Rue 1"}
        )
        assert (account.tax_id, account.tax_id_state) == ("FRAB123456789", "pending")
        ManualService(session).set_plan("team", "month", 2, "agreed")
        first = invoices(session)[0]
        assert (first.tax, first.tax_note) == (tax_on(first.net, Decimal(20)), "pending:20")
    asked = ["tax-id", shop.tenant.address, "FRAB123456789", "--reason", "VIES, today"]
    assert "counts from now on" in runner.invoke(commands.group, [*asked, "--verified"]).output
    with shop.work(context.SYSTEM) as session:
        service = ManualService(session)
        service.set_plan("team", "month", 4, "agreed")
        second = invoices(session)[1]
        # What was written before stays; later verification is the operator's credit note.
        assert (invoices(session)[0].tax_note, second.tax, second.tax_note) == ("pending:20", 0, "reverse")
        AccountService(session).set_details({"legal_name": "Other", "tax_id": ""})
        # A paper stays as it was written, whatever the firm is called later.
        assert [one.raw["buyer"]["name"] for one in invoices(session)] == ["Garage SARL"] * 2
        assert second.raw["buyer"]["tax_id"] == "FRAB123456789"
    assert "The firm gave no tax id" in str(runner.invoke(commands.group, [*asked, "--refused"]).exception)
    with shop.work(context.SYSTEM) as session:
        AccountService(session).set_details({"tax_id": "FRAB123456789"})
    assert "does not count" in runner.invoke(commands.group, [*asked, "--refused"]).output
    page = shop.client().get("/settings/billing").get_data(as_text=True)
    assert "Not found" in page
    assert "so tax is charged" in page


def test_numbers_have_no_gap_though_some_are_rolled_back(app: Flask) -> None:
    shops = [make_shop(app) for _shop in range(4)]
    year = 3000 + int(clock.now().timestamp()) % 100_000
    found: list[str] = []

    def take(shop: Shop, index: int) -> None:
        for turn in range(5):
            try:
                with shop.work() as session:
                    number = numbers.take(session, year)
                    if (turn + index) % 3 == 0:
                        raise NotFound("rolled back")
                found.append(number)
            except NotFound:
                continue

    threads = [threading.Thread(target=take, args=(shop, index)) for index, shop in enumerate(shops)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [f"{year}-{number:05d}" for number in range(1, len(found) + 1)]


@pytest.mark.parametrize(
    ("locale", "title"),
    [("en", "Invoice "), ("ru", "Счёт "), ("zh_Hans", "账单"), ("zh_Hant", "帳單")],
)
def test_papers_bring_chinese_cyrillic_and_latin_along(
    manual: None, shop: Shop, locale: str, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modes, "_seller", ("Kehu 客户 GmbH", "Große Straße 1, Żagań"))
    name, address = "客户有限公司 · ООО «Гавань» · Håfen", "上海市浦东新区\n臺灣臺北市\nМосква, ул. Ёлочная"
    with shop.work(context.SYSTEM) as session:
        without_trial(session)
        account = AccountService(session).lock()
        account.currency, account.country = "RUB", "FR"
        account.legal_name, account.address, account.tax_id = name, address, "FRAB123456789"
        account.tax_id_state = "verified"
        ManualService(session).set_plan("team", "month", 2, "test")
        first, give = invoices(session)[0], RefundService(session)
        give.credit(first, 5000, "опоздание 迟到 遲到", request_id=new_id())
        with shop.app.test_request_context(), force_locale(locale):
            papers = [
                draw(first, account, shop.tenant),
                draw_credit_note(give.given()[0], first, account, shop.tenant),
            ]
    for paper, more in zip(papers, (title, "опоздание 迟到 遲到"), strict=True):
        said = words_of(paper)
        assert str(Locale.parse(locale).territories["FR"]) in said
        for text in (
            name,
            *address.splitlines(),
            "FRAB123456789",
            "Kehu 客户 GmbH",
            "Żagań",
            more,
            "2006/112/EC",
        ):
            assert text in said, (text, said)
        assert fonts_of(paper) == {"embedded"}
        assert len(paper) < 100_000
    # Two seats at the price of one.
    assert "× " in words_of(papers[0])
    assert "990" in words_of(papers[0])
    assert "₽" in words_of(papers[0]) or "RUB" in words_of(papers[0])


def test_case_72_papers_of_the_demo_are_stamped_and_bring_their_fonts(demo: None, shop: Shop) -> None:
    with shop.work() as session:
        without_trial(session)
        service = PurchaseService(session)
        wish = service.wish("team", "month", "2")
        shown = service.preview(wish)
        service.order(wish, shown.at, shown.total)
        with shop.app.test_request_context():
            paper = draw(invoices(session)[0], AccountService(session).lock(), shop.tenant)
    assert "DEMO" in words_of(paper)
    assert fonts_of(paper) == {"embedded"}


def test_the_console_bills_by_hand_each_act_with_a_reason(manual: None, shop: Shop) -> None:
    with shop.work(context.SYSTEM) as session:
        without_trial(session)
        AccountService(session).refresh(AccountService(session).lock())
    client, url = operator_client(shop.app), f"/operator/tenants/{shop.tenant.id}"
    given = {"plan": "team", "interval": "month", "seats": "3", "reason": "signed offer 18"}
    assert client.post(f"{url}/paid", data={"number": "1", "reason": "bank"}).status_code == 404
    for wrong in ({"seats": "many"}, {"plan": "gold"}, {"until": "soon"}, {"reason": ""}):
        assert client.post(f"{url}/plan", data={**given, **wrong}).status_code == 422
    assert client.post(f"{url}/plan", data=given).status_code == 303
    with shop.work(context.SYSTEM) as session:
        first = invoices(session)[0]
    page = client.get(url).text
    assert first.number in page
    paper = client.get(f"{url}/invoices/{first.id}")
    assert (paper.status_code, paper.data[:4]) == (200, b"%PDF")
    other = make_shop(shop.app)
    assert client.get(f"/operator/tenants/{other.tenant.id}/invoices/{first.id}").status_code == 404
    assert shop.client().get(f"{url}/invoices/{first.id}").status_code == 404
    note = {"number": first.number, "reason": "statement 7"}
    assert client.post(f"{url}/paid", data=note).status_code == 303
    assert client.post(f"{url}/paid", data=note).status_code == 404
    assert client.post(f"{url}/plan", data={**given, "seats": "5"}).status_code == 303
    with shop.work(context.SYSTEM) as session:
        last = invoices(session)[-1]
        assert (last.status, AccountService(session).lock().seats_cap) == ("open", 5)
    assert client.post(f"{url}/void", data={"number": last.number, "reason": "goodwill"}).status_code == 303
    same = {"version": "team@1", "reason": "test"}
    assert client.post(f"{url}/version", data={**same, "version": "x"}).status_code == 422
    assert client.post(f"{url}/end", data={"reason": "they leave"}).status_code == 303
    page = client.get(url).text
    for words in ("signed offer 18", "statement 7", "goodwill", "they leave", "Paid", "Void"):
        assert words in page, words


def test_the_console_writes_an_invoice_of_its_own_words_credits_and_pays_back(
    manual: None, shop: Shop
) -> None:
    client, url = operator_client(shop.app), f"/operator/tenants/{shop.tenant.id}"
    given = {"text": "Half a day of training", "amount": "400.00", "reason": "order 19"}
    for amount in ("", "0", "-5", "1.234", "lots", "1e99", "NaN"):
        assert client.post(f"{url}/bill", data={**given, "amount": amount}).status_code == 422, amount
    given["request_id"] = str(new_id())
    for _press in range(2):
        assert client.post(f"{url}/bill", data=given).status_code == 303
    with shop.work(context.SYSTEM) as session:
        (made,) = invoices(session)
        assert (made.net, made.status, made.lines[0]["plan"]) == (40000, "open", "Half a day of training")
        assert AccountService(session).subscription() is None
    back = {"number": made.number, "amount": "100", "reason": "too long", "request_id": str(new_id())}
    for _press in range(2):
        assert client.post(f"{url}/credit", data=back).status_code == 303
    with shop.work(context.SYSTEM) as session:
        assert RefundService(session).left(invoices(session)[0]).credit == made.total - 10000
    assert client.post(f"{url}/refund", data={**back, "request_id": str(new_id())}).status_code == 422
    assert client.post(f"{url}/paid", data={"number": made.number, "reason": "bank"}).status_code in (
        303,
        404,
    )
    page = client.get(url).text
    for words in ("order 19", "too long", "Half a day of training", made.number):
        assert words in page, words
    judged = {"number": "GB123456789", "found": "yes", "reason": "looked up"}
    assert client.post(f"{url}/tax-id", data=judged).status_code == 409
    with shop.work(context.SYSTEM) as session:
        AccountService(session).set_details({"tax_id": "GB123456789"})
    assert client.post(f"{url}/tax-id", data=judged).status_code == 303
