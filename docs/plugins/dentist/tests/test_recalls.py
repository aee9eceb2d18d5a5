"""Recalls from the visit to the morning on which the front desk calls."""

from __future__ import annotations

import datetime as dt

import pytest
from kehu.api import clock, service_for
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable, run_job_now

from kehu_dentist.services import after_months

HOME = "/x/dentist"


@pytest.fixture
def patient(shop: Shop) -> str:
    """A patient of a practice that has the plugin on."""
    enable(shop, "dentist")
    with shop.work() as session:
        made = service_for("customers", session).create({"name": "Ada Byron"})
        session.flush()
        return str(made.id)


@pytest.mark.parametrize(
    ("day", "months", "due"),
    [("2026-01-15", 6, "2026-07-15"), ("2026-08-31", 6, "2027-02-28"), ("2023-08-31", 6, "2024-02-29")],
)
def test_months_end_where_the_month_ends(day: str, months: int, due: str) -> None:
    assert after_months(dt.date.fromisoformat(day), months) == dt.date.fromisoformat(due)


def test_a_visit_is_noted_and_by_night_the_patient_is_due(shop: Shop, patient: str) -> None:
    client, form = shop.client(), f"{HOME}/customers/{patient}/visit"
    assert 'value="6"' in client.get(form).get_data(as_text=True)  # The interval of the settings.
    assert client.post(form, data={"seen_on": "2024-01-31", "months": "9"}).status_code == 303
    assert "9 months" in client.get(f"{HOME}/panel?customer_id={patient}").get_data(as_text=True)
    assert "Ada Byron" not in client.get(f"{HOME}/recalls").get_data(as_text=True)
    run_job_now(shop, "dentist.recall")
    assert "Ada Byron" in client.get(f"{HOME}/recalls").get_data(as_text=True)
    assert 'value="9"' in client.get(form).get_data(as_text=True)  # His own interval is kept.
    today = clock.today(shop.tenant.tz).isoformat()
    assert client.post(form, data={"seen_on": today, "months": "9"}).status_code == 303
    run_job_now(shop, "dentist.recall")
    assert "Ada Byron" not in client.get(f"{HOME}/recalls").get_data(as_text=True)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"seen_on": "", "months": "6"}, "Choose the day"),
        ({"seen_on": "2999-01-01", "months": "6"}, "still to come"),
        ({"seen_on": "2024-01-31", "months": "0"}, "whole number from 1 to 36"),
        ({"seen_on": "2024-01-31", "months": "six"}, "whole number from 1 to 36"),
    ],
)
def test_what_can_not_be_is_refused_by_name(
    shop: Shop, patient: str, values: dict[str, str], said: str
) -> None:
    answer = shop.client().post(f"{HOME}/customers/{patient}/visit", data=values)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert said in page
    assert f'value="{values["months"]}"' in page
