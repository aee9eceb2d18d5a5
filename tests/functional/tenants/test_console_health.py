"""What an operator sees of the installation, what waits for him, and what he lets run again."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from sqlalchemy import text

from billing import modes
from billing.console import mail_watch
from kehu.core import context, db
from kehu.core.ids import new_id
from kehu.testkit.fixtures import Shop, operator_client
from plugins.results import BillingMode
from tenants.console.tasks import raise_task

PAGE = "/operator/health"


def failed_job(shop: Shop, task: str, args: dict[str, object], lock: str | None = None) -> int:
    """Leave a job of a firm in the list of those that gave up."""
    statement = text(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts, queueing_lock) "
        "VALUES ('mail', :task, CAST(:args AS jsonb), 'failed', 8, :lock) RETURNING id"
    )
    with shop.work(context.SYSTEM) as session:
        body = json.dumps({"tenant_id": str(shop.tenant.id), **args})
        return int(session.execute(statement, {"task": task, "args": body, "lock": lock}).scalar_one())


def status_of(shop: Shop, job: int) -> str:
    with shop.work() as session:
        return str(
            session.execute(
                text("SELECT status FROM procrastinate_jobs WHERE id = :id"), {"id": job}
            ).scalar_one()
        )


def test_only_operators_see_it(shop: Shop) -> None:
    client = shop.client()
    assert client.get(PAGE).status_code == 404
    assert client.post(f"{PAGE}/jobs/1").status_code == 404
    assert client.post(f"{PAGE}/tasks/{new_id()}", data={"note": "x"}).status_code == 404


def test_a_job_that_gave_up_is_seen_and_runs_again(app: Flask, shop: Shop) -> None:
    job = failed_job(shop, "kehu.mail.deliver", {"template": "accounts/mail/reset", "to": "a@example.com"})
    client = operator_client(app)
    page = client.get(PAGE).text
    for words in ("accounts/mail/reset", f"jobs/{job}", "Looks over firms", "Web server against database"):
        assert words in page, words
    assert "a@example.com" not in page
    assert client.post(f"{PAGE}/jobs/{job}").status_code == 303
    assert f"runs the job {job} again" in client.get(PAGE).text
    assert status_of(shop, job) == "todo"
    assert client.post(f"{PAGE}/jobs/{job}").status_code == 404
    assert client.post(f"{PAGE}/jobs/{2**70}").status_code == 404
    with shop.work(context.SYSTEM) as session:
        session.execute(text("DELETE FROM procrastinate_jobs WHERE id = :id"), {"id": job})


def test_work_that_waits_already_is_not_queued_twice(app: Flask, shop: Shop) -> None:
    lock = new_id().hex
    jobs = [failed_job(shop, "kehu.mail.deliver", {}, lock) for _time in range(2)]
    client = operator_client(app)
    answers = [client.post(f"{PAGE}/jobs/{job}").status_code for job in jobs]
    assert (answers, status_of(shop, jobs[1])) == ([303, 409], "failed")
    with shop.work(context.SYSTEM) as session:
        session.execute(text("DELETE FROM procrastinate_jobs WHERE id = ANY(:ids)"), {"ids": jobs})


def test_a_task_waits_until_it_is_done_with_a_note_and_comes_once(app: Flask, shop: Shop) -> None:
    about = new_id().hex
    with app.app_context(), db.unit_of_work(actor=context.SYSTEM) as session:
        assert raise_task(session, "test", about, f"Phone firm {about}", shop.tenant.id)
        assert not raise_task(session, "test", about, "the same again")
    client = operator_client(app)
    page = client.get(PAGE).text
    assert f"Phone firm {about}" in page
    url = page.split(f"Phone firm {about}")[1].split('action="', 1)[1].split('"')[0]
    assert client.post(url, data={"note": " "}).status_code == 422
    assert client.post(url, data={"note": "phoned, they pay"}).status_code == 303
    assert about not in client.get(PAGE).text
    assert client.post(url, data={"note": "twice"}).status_code == 404
    with shop.work() as session:
        kept = text("SELECT done_by, note FROM operator_tasks WHERE about = :about")
        assert tuple(session.execute(kept, {"about": about}).one()) == ("Olga Operator", "phoned, they pay")


@pytest.mark.parametrize("mode", [BillingMode.OFF, BillingMode.DEMO])
def test_mail_about_billing_that_comes_back_raises_one_task(
    app: Flask, shop: Shop, mode: BillingMode
) -> None:
    args = {"template": "billing/mail/notice", "to": "gone@example.com", "values": {"kind": "failed_3"}}
    jobs = [failed_job(shop, "kehu.mail.deliver", args) for _time in range(2)]
    with modes.use(mode):
        new = [mail_watch.watch(), mail_watch.watch()]
        if mode is BillingMode.DEMO:  # The same mail a year later is told as well.
            later = {"kind": "failed_3", "date": "2028-01-31T00:00:00+00:00"}
            jobs.append(failed_job(shop, "kehu.mail.deliver", {**args, "values": later}))
            assert [mail_watch.watch(), mail_watch.watch()] == [1, 0]
    assert new == ([0, 0] if mode is BillingMode.OFF else [1, 0])
    page = operator_client(app).get(PAGE).text
    assert (f"({shop.tenant.address}). Reach the owner" in page) is (mode is BillingMode.DEMO)
    with shop.work(context.SYSTEM) as session:
        session.execute(text("DELETE FROM procrastinate_jobs WHERE id = ANY(:ids)"), {"ids": jobs})
