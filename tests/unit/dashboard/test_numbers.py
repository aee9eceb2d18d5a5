"""The home page's figures: compared fairly, never adding currencies, silent without anything to compare."""

import datetime as dt
from types import SimpleNamespace as Row

import pytest

from kehu.core import clock
from kehu.dashboard import home, numbers

TODAY = dt.date(2026, 11, 22)
UTC = dt.UTC


def month(year, number, status="won", *, count=1, total=0, currency="GBP", by_day=None):
    return Row(
        month=dt.datetime(year, number, 1, tzinfo=UTC),
        status=status,
        currency=currency,
        count=count,
        total=total,
        by_day=total if by_day is None else by_day,
    )


@pytest.fixture
def closed(session):
    rows = [
        month(2026, 11, total=300_00, count=3),
        month(2026, 11, "lost", total=900_00, count=1),
        month(2026, 10, total=800_00, by_day=200_00),
        month(2026, 7, "lost", count=3),
        month(2026, 6, count=1),
        month(2025, 11, total=100_00),
        month(2026, 11, total=50_00, currency="EUR"),
        Row(month=None, status="past", currency="GBP", count=1, total=400_00, by_day=None),
    ]
    return numbers.Closed(rows, UTC, "GBP")


def test_the_month_is_compared_by_its_days(closed):
    figure = numbers.won_figure(closed, TODAY, "GBP")
    assert (str(figure.value), figure.trend) == ("£300", "+50 % against last month by this day")
    assert figure.good


def test_the_win_rate_of_three_months(closed):
    figure = numbers.rate_figure(closed, TODAY)
    assert (figure.value, figure.trend) == ("83 %", "+58 points in 3 months")
    empty = numbers.rate_figure(numbers.Closed([], UTC, "GBP"), TODAY)
    assert (empty.value, empty.trend) == ("–", "")


def test_the_pipeline_against_thirty_days_ago(closed):
    stages = [
        Row(currency="GBP", total=300_00),
        Row(currency="EUR", total=999_00),
        Row(currency=None, total=None),
    ]
    figure = numbers.pipeline_figure(stages, closed.past, "GBP")
    assert (str(figure.value), figure.trend) == ("£300", f"{numbers.MINUS}25 % in 30 days")
    assert figure.good is False


def test_the_first_reply(session):
    faster = numbers.reply_figure(Row(now=1320.0, before=1680.0, waiting=0))
    assert (faster.value, faster.trend) == ("22 min", f"{numbers.MINUS}6 min in 30 days")
    assert (faster.good, faster.up) == (True, False)
    assert numbers.reply_figure(Row(now=1320.0, before=1330.0, waiting=0)).trend == ""
    assert numbers.reply_figure(Row(now=None, before=None, waiting=2)).trend == "2 tickets wait"


def test_charts_say_what_they_leave_out(closed):
    chart = numbers.revenue_chart(closed, TODAY, 6, "GBP")
    assert chart.labels == ["Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]
    assert chart.series[0].values[-1] == 300.0
    assert chart.series[1].values[-1] == 100.0
    assert "other currencies are left out" in chart.sentence
    assert chart.write(12.5) == "£12.50"


def test_stages_of_the_first_pipeline_only(session):
    rows = [
        Row(pipeline_id=1, id=10, name="New", currency="GBP", count=2, total=500_00),
        Row(pipeline_id=1, id=10, name="New", currency="EUR", count=1, total=100_00),
        Row(pipeline_id=1, id=11, name="Qualified", currency=None, count=0, total=None),
        Row(pipeline_id=2, id=20, name="Other", currency="GBP", count=5, total=900_00),
    ]
    chart = numbers.stage_chart(rows, "GBP")
    assert chart is not None
    assert (chart.labels, chart.series[0].values) == (["New", "Qualified"], [500.0, 0.0])
    assert chart.sentence == "3 open deals"
    assert numbers.stage_chart([], "GBP") is None


@pytest.mark.parametrize(
    ("hours", "wanted"), [(1, "Good morning"), (7, "Good afternoon"), (12, "Good evening")]
)
def test_greeting_by_the_time_of_day(session, monkeypatch, hours, wanted):
    monkeypatch.setattr(
        clock, "now", lambda: dt.datetime(2026, 11, 22, 8, tzinfo=UTC) + dt.timedelta(hours=hours)
    )
    assert numbers.greeting("Mira Sol") == f"{wanted}, Mira"
    assert numbers.greeting("王小明").endswith("王小明")


def test_a_task_leads_to_what_it_is_about():
    now = dt.datetime(2026, 11, 22, 9, tzinfo=UTC)
    row = {
        "id": 1,
        "subject": "Call",
        "kind": "call",
        "due_at": now,
        "version": 1,
        "customer": "North",
        "deal": None,
    }
    none = {"deal_id": None, "ticket_id": None, "customer_id": None}

    def url(**given):
        return home._task(Row(**{**row, **none, **given}), now).url

    assert url(deal_id=5, customer_id=7) == "/deals/5"
    assert url(ticket_id=6) == "/tickets/6"
    assert url(customer_id=7) == "/customers/7"
    assert url() == "/activities/1"
