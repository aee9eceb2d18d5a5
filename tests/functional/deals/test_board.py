"""The board: drawn in few statements, moved by drag, refused with a sentence."""

import datetime as dt
import json
import re
import threading

import pytest

from kehu.activities.services import ActivityService
from kehu.core import clock
from kehu.core.ids import new_id
from kehu.customers.services import CustomerService
from kehu.deals.services import DealService
from kehu.testkit.fixtures import count_queries

SCRIPT = {"HX-Request": "true", "Accept": "application/json"}
"""What the board's script sends."""


@pytest.fixture
def deal_ids(shop):
    with shop.work() as session:
        customer = CustomerService(session).create({"name": "Northwind Joinery"}).id
        service = DealService(session)
        made = service.create_many(
            [{"name": f"Deal {n}", "customer_id": customer, "amount": 1000 * n} for n in range(1, 4)]
        )
        return [outcome.record.id for outcome in made]


def test_the_board_shows_columns_sums_and_cards(shop, deal_ids):
    page = shop.client().get("/deals/board")
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert text.count("data-card=") == 3
    assert text.count("data-stage=") == 6
    assert "£6,000" in text
    assert "Northwind Joinery" in text
    assert "No next step" in text


def stage_ids(shop):
    with shop.work() as session:
        return {stage.name: str(stage.id) for stage in DealService(session).stages().values()}


def column(shop, stage):
    """Return the titles of a column from the page that people see."""
    text = shop.client().get("/deals/board").get_data(as_text=True)
    part = text.split(f'data-stage="{stage}"')[1].split("</section>")[0]
    return re.findall(r"data-row-link[^>]*>([^<]+)</a>", part)


def test_the_board_takes_few_statements(shop, deal_ids):
    client = shop.client()
    client.get("/deals/board")
    with count_queries() as found:
        client.get("/deals/board")
    assert len(found) <= 8, found.texts


def test_a_drag_moves_the_card_and_tells_the_new_sums(shop, deal_ids):
    stages, client = stage_ids(shop), shop.client()
    url = f"/deals/{deal_ids[1]}/move"
    answer = client.post(
        url, data={"stage": stages["Qualified"], "after": "", "version": "1"}, headers=SCRIPT
    )
    assert answer.status_code == 200
    assert answer.json["version"] == 2
    assert answer.json["columns"][stages["New"]] == {"count": 2, "total": "£4,000", "tip": "£4,000"}
    assert answer.json["columns"][stages["Qualified"]]["count"] == 1
    undo = json.loads(answer.headers["HX-Trigger"])["kehu:toast"]["items"][0]
    assert undo["message"] == "Moved “Deal 2” to Qualified."
    assert column(shop, stages["Qualified"]) == ["Deal 2"]
    assert client.post(undo["undo_url"], headers=SCRIPT).status_code < 300
    assert column(shop, stages["New"]) == ["Deal 1", "Deal 2", "Deal 3"]


def test_the_order_within_a_column_is_kept(shop, deal_ids):
    stages, client = stage_ids(shop), shop.client()
    answer = client.post(
        f"/deals/{deal_ids[0]}/move", data={"stage": stages["New"], "after": str(deal_ids[2]), "version": "1"}
    )
    assert answer.json == {"version": 1}
    assert column(shop, stages["New"]) == ["Deal 2", "Deal 3", "Deal 1"]


def test_lost_asks_why_and_cancel_changes_nothing(shop, deal_ids):
    stages, client = stage_ids(shop), shop.client()
    refused = client.post(f"/deals/{deal_ids[0]}/move", data={"stage": stages["Lost"], "version": "1"})
    assert refused.status_code == 422
    assert refused.json["card"] == {"stage": stages["New"], "after": "", "version": 1}
    form = client.get(f"/deals/lost?card={deal_ids[0]}&stage={stages['Lost']}&version=1")
    assert "Why was “Deal 1” lost?" in form.get_data(as_text=True)
    data = {"stage": stages["Lost"], "version": "1", "dialog": "1", "board": "1"}
    empty = client.post(f"/deals/{deal_ids[0]}/move", data=data)
    assert empty.status_code == 422
    assert "Say why" in empty.get_data(as_text=True)
    assert column(shop, stages["New"]) == ["Deal 1", "Deal 2", "Deal 3"]
    data |= {"reason": "Price too high", "reason_note": "By a third"}
    done = client.post(f"/deals/{deal_ids[0]}/move", data=data)
    assert done.status_code == 204
    assert "kehu:close" in done.headers["HX-Trigger"]
    with shop.work() as session:
        assert DealService(session).get(deal_ids[0]).lost_reason == "Price too high: By a third"


def test_two_people_who_drag_the_same_card(shop, deal_ids):
    """Real connections at the same moment: one wins, the other hears who and where, nothing is lost."""
    stages = stage_ids(shop)
    other = shop.member("manager", name="Kai Jensen")
    answers = {}
    gate = threading.Barrier(2)

    def drag(name, actor, stage):
        client = shop.client(actor)
        gate.wait()
        answers[name] = client.post(
            f"/deals/{deal_ids[0]}/move", data={"stage": stages[stage], "after": "", "version": "1"}
        )

    threads = [
        threading.Thread(target=drag, args=("one", shop.owner, "Qualified")),
        threading.Thread(target=drag, args=("two", other, "Negotiation")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won, refused = sorted(answers.values(), key=lambda answer: answer.status_code)
    assert (won.status_code, refused.status_code) == (200, 409)
    assert "moved “Deal 1” to" in refused.json["detail"]
    with shop.work() as session:
        record = DealService(session).get(deal_ids[0])
        assert refused.json["card"]["stage"] == str(record.stage_id)
        assert record.version == 2


def test_a_member_moves_only_his_own_cards(shop, deal_ids):
    stages = stage_ids(shop)
    member = shop.member("member")
    client = shop.client(member)
    text = client.get("/deals/board").get_data(as_text=True)
    assert text.count("data-fixed") == 3
    refused = client.post(f"/deals/{deal_ids[0]}/move", data={"stage": stages["Won"], "version": "1"})
    assert refused.status_code == 403
    assert refused.json["card"]["stage"] == stages["New"]
    assert client.get(f"/deals/lost?card={deal_ids[0]}").status_code == 403
    viewer = shop.client(shop.member("viewer"))
    assert viewer.get("/deals/board").status_code == 200
    assert viewer.post(f"/deals/{deal_ids[0]}/move", data={"stage": stages["Won"]}).status_code == 403


def test_foreign_ids_get_nothing(shop, other_shop, deal_ids):
    stages, foreign = stage_ids(shop), stage_ids(other_shop)
    client, stranger = shop.client(), other_shop.client()
    assert stranger.post(f"/deals/{deal_ids[0]}/move", data={"stage": foreign["Won"]}).status_code == 404
    assert client.post(f"/deals/{deal_ids[0]}/move", data={"stage": foreign["Won"]}).status_code == 422
    assert stranger.get(f"/deals/board/more/{stages['New']}?cursor=x~{deal_ids[0]}").status_code == 404
    assert stranger.get(f"/deals/board?pipeline={new_id()}").get_data(as_text=True).count("data-stage=") == 6
    assert stranger.get("/deals/board").get_data(as_text=True).count("data-card=") == 0
    assert stranger.get(f"/deals/lost?card={deal_ids[0]}").status_code == 404
    assert stranger.post(f"/deals/{deal_ids[0]}/won").status_code == 404
    assert client.post(f"/deals/{deal_ids[0]}/stage/{foreign['Won']}").status_code == 422
    for nonsense in ("", "x", "00000000-0000-0000-0000-000000000000"):
        assert client.post(f"/deals/{deal_ids[0]}/move", data={"stage": nonsense}).status_code == 422


def test_long_columns_load_the_rest_on_demand(shop):
    with shop.work() as session:
        DealService(session).create_many([{"name": f"Deal {n:03}"} for n in range(120)])
    client, seen = shop.client(), []
    text = client.get("/deals/board").get_data(as_text=True)
    while True:
        seen += re.findall(r"data-row-link[^>]*>(Deal \d+)</a>", text)
        more = re.search(r'data-more="(\d+)".*?hx-get="([^"]+)"', text, re.DOTALL)
        if more is None:
            break
        assert int(more[1]) == 120 - len(seen)
        text = client.get(more[2].replace("&amp;", "&")).get_data(as_text=True)
    assert seen == [f"Deal {n:03}" for n in range(120)]


def test_filters_narrow_cards_and_sums(shop, deal_ids):
    client = shop.client()
    text = client.get("/deals/board?amount.gte=2500").get_data(as_text=True)
    assert text.count("data-card=") == 1
    assert "£3,000" in text
    text = client.get("/deals/board?q=northwind").get_data(as_text=True)
    assert text.count("data-card=") == 3
    assert client.get("/deals/board?owner_id=none").get_data(as_text=True).count("data-card=") == 0
    listed = client.get("/deals/board?owner_id=me").get_data(as_text=True)
    assert 'href="/deals?owner_id=me"' in listed


def test_currencies_are_never_added_up(shop, deal_ids):
    with shop.work() as session:
        DealService(session).create({"name": "Abroad", "currency": "EUR", "amount": "500"})
    text = shop.client().get("/deals/board").get_data(as_text=True)
    assert "£6,000 + €500" in text


def test_the_page_of_a_deal(shop, deal_ids):
    stages, client = stage_ids(shop), shop.client()
    page = client.get(f"/deals/{deal_ids[0]}")
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert 'aria-current="step"' in text
    assert 'id="next-step"' in text
    assert client.post(f"/deals/{deal_ids[0]}/stage/{stages['Proposal sent']}").status_code == 204
    assert client.post(f"/deals/{deal_ids[0]}/stage/{stages['Lost']}").status_code == 200  # The question.
    assert client.post(f"/deals/{deal_ids[0]}/won").status_code == 204
    with shop.work() as session:
        assert DealService(session).get(deal_ids[0]).status == "won"
    with count_queries() as found:
        assert "Won" in client.get(f"/deals/{deal_ids[0]}").get_data(as_text=True)
    assert len(found) <= 12, found.texts


def test_the_place_in_the_address_survives_a_filter(shop, deal_ids):
    """A filter answers the board and, beside it, the way to the list and the chips."""
    headers = {
        "HX-Request": "true",
        "HX-Request-Type": "partial",
        "HX-Target": "div#board",
        "HX-Source": "form#list-filters",
    }
    answer = shop.client().get("/deals/board?q=deal&owner_id=", headers=headers)
    assert answer.headers["HX-Replace-Url"] == "/deals/board?q=deal"
    text = answer.get_data(as_text=True)
    assert text.count("data-card=") == 3
    assert "<html" not in text
    assert 'href="/deals?q=deal"' in text
    assert 'hx-target="#list-chips"' in text


def test_a_stage_edited_in_place_asks_for_the_reason_too(shop, deal_ids):
    stages, client = stage_ids(shop), shop.client()
    answer = client.post(
        f"/deals/{deal_ids[0]}/field/stage_id", data={"stage_id": stages["Lost"], "version": "1"}
    )
    assert answer.status_code == 422
    assert "Say why" in answer.get_data(as_text=True)
    answer = client.post(
        f"/deals/{deal_ids[0]}/field/stage_id", data={"stage_id": stages["Won"], "version": "1"}
    )
    assert answer.status_code == 200
    with shop.work() as session:
        assert DealService(session).get(deal_ids[0]).status == "won"


def test_the_list_keeps_to_the_same_rules(shop, deal_ids):
    client = shop.client()
    text = client.get("/deals?status=open").get_data(as_text=True)
    assert "Deal 1" in text
    assert 'href="/deals/board?status=open"' in text
    assert client.get("/deals?sort=-amount").status_code == 200
    made = client.post("/deals/new", data={"name": "By hand", "amount": "12.50"}, headers=SCRIPT)
    assert made.status_code in (204, 303)
    with shop.work() as session:
        assert DealService(session).count_in_stage(DealService(session).first_stage().id) == 4


def test_an_empty_board_leads_on(shop):
    client = shop.client()
    assert "Enter the first one" in client.get("/deals/board").get_data(as_text=True)
    assert "No deals match" in client.get("/deals/board?q=nothing").get_data(as_text=True)
    viewer = shop.client(shop.member("viewer")).get("/deals/board").get_data(as_text=True)
    assert "Each deal is a card" in viewer
    assert 'href="/deals/new' not in viewer


def test_cards_say_how_they_stand(shop, deal_ids):
    """Red for overdue, amber for nothing planned, grey for planned; a mark when a card stays longer than usual."""
    with shop.work() as session:
        activities = ActivityService(session)
        activities.create(
            {"kind": "call", "subject": "Late call", "due_at": clock.now(), "deal_id": deal_ids[0]}
        )
        activities.create({"kind": "task", "subject": "Some day", "deal_id": deal_ids[1]})
    with clock.ahead(dt.timedelta(days=3)):
        early = shop.client().get("/deals/board").get_data(as_text=True)
    with clock.ahead(dt.timedelta(days=20)):
        late = shop.client().get("/deals/board").get_data(as_text=True)
    assert early.count("k-deal-next k-tone-bad") == 1
    assert early.count("k-deal-next k-tone-warn") == 1
    assert "Late call" in early
    assert ">3 d<" in early
    assert "Longer in this stage than the usual 7 days" not in early
    assert late.count("Longer in this stage than the usual 7 days") == 3


def test_a_card_that_moved_while_the_question_stood(shop, deal_ids):
    stages, client = stage_ids(shop), shop.client()
    with shop.work() as session:
        DealService(session).win(deal_ids[0])
    data = {"stage": stages["Lost"], "version": "1", "dialog": "1", "board": "1", "reason": "Need is gone"}
    answer = client.post(f"/deals/{deal_ids[0]}/move", data=data, headers=SCRIPT)
    assert answer.status_code == 204
    assert (
        "moved “Deal 1” to Won"
        in json.loads(answer.headers["HX-Trigger"])["kehu:toast"]["items"][0]["message"]
    )
    with shop.work() as session:
        assert DealService(session).get(deal_ids[0]).status == "won"
