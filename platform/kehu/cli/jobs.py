"""`kehu worker` and `kehu jobs`."""

from __future__ import annotations

import click
from sqlalchemy import text

from kehu.cli.scope import make_app
from kehu.core import context, db


@click.command("worker")
@click.option("--concurrency", default=2, show_default=True, help="Jobs that run at the same time.")
@click.option("--once", is_flag=True, help="Stop when the queue is empty.")
def worker(concurrency: int, once: bool) -> None:
    """Run background jobs until interrupted."""
    from kehu.worker import run_worker

    app = make_app()
    run_worker(app.extensions["kehu.settings"], concurrency=concurrency, once=once)


@click.group("jobs")
def group() -> None:
    """See and repeat background jobs."""


@group.command("list")
@click.option("--status", default="failed", show_default=True, type=click.Choice(["failed", "todo", "doing"]))
def list_jobs(status: str) -> None:
    """List jobs by status, the newest first."""
    app = make_app()
    statement = text(
        "SELECT id, task_name, attempts, args ->> 'tenant_id' AS tenant FROM procrastinate_jobs "
        "WHERE status = CAST(:status AS procrastinate_job_status) ORDER BY id DESC LIMIT 100"
    )
    with app.app_context(), db.unit_of_work(actor=context.SYSTEM) as session:
        rows = session.execute(statement, {"status": status}).all()
    for row in rows:
        click.echo(f"{row.id}  {row.task_name}  attempts {row.attempts}  tenant {row.tenant or '-'}")
    click.echo(f"{len(rows)} jobs with status {status}.")


@group.command("retry")
@click.argument("job_id", type=int)
def retry(job_id: int) -> None:
    """Put a failed job back into the queue."""
    app = make_app()
    statement = text(
        "UPDATE procrastinate_jobs SET status = 'todo', attempts = 0, scheduled_at = NULL "
        "WHERE id = :id AND status = 'failed' RETURNING task_name"
    )
    with app.app_context(), db.unit_of_work(actor=context.SYSTEM) as session:
        name = session.execute(statement, {"id": job_id}).scalar()
    if name is None:
        raise click.ClickException(f"Job {job_id} is not in the list of failed jobs.")
    click.echo(f"Job {job_id} ({name}) waits in the queue.")


COMMANDS = (worker, group)
