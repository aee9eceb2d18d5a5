"""`kehu billing stripe`: what operators look at and do when the mirror and Stripe disagree."""

from __future__ import annotations

import click
from sqlalchemy import select

from billing import modes
from billing.kinds import served
from billing.stripe import reconciling, sync
from billing.stripe.models import ReconDiff, StripeEvent, Sync
from billing.stripe.views import gateway
from kehu.cli.scope import make_app
from kehu.core import context, db
from plugins.results import BillingMode


@click.group("stripe")
def group() -> None:
    """Events, the mirror and its comparison with Stripe."""


@group.command("reconcile")
@click.option("--repair/--look", default=False, help="Fetch what differs anew; else only say what differs.")
def reconcile(repair: bool) -> None:
    """Compare all subscriptions and the invoices of forty days with Stripe."""
    app = served(make_app())
    with app.app_context(), context.use(actor=context.SYSTEM):
        if modes.mode() is not BillingMode.STRIPE:
            raise click.ClickException("KEHU_BILLING_MODE is not stripe; there is nothing to compare with.")
        run = reconciling.reconcile(gateway(), repair=repair)
        with db.unit_of_work(tenant=None) as session:
            for one in session.execute(select(ReconDiff).order_by(ReconDiff.first_at).limit(200)).scalars():
                click.echo(
                    f"{one.kind:<10}{one.object_id:<34}{one.customer_id:<24}{one.runs:>3} runs  {one.detail}"
                )
    done = f", {run.repaired} customers fetched anew" if repair else ""
    click.echo(f"{run.looked} subscriptions, {run.found} differences{done}, {run.seconds} s.")


@group.command("events")
@click.option("--state", type=click.Choice(["parked", "failed", "new"]), default="failed")
def events(state: str) -> None:
    """List events that wait or were given up."""
    with served(make_app()).app_context(), db.unit_of_work(tenant=None) as session:
        statement = select(StripeEvent).where(StripeEvent.state == state).order_by(StripeEvent.received_at)
        for one in session.execute(statement.limit(200)).scalars():
            day, customer = f"{one.received_at:%Y-%m-%d %H:%M}", one.customer_id or "-"
            click.echo(f"{day} {one.id:<32}{one.type:<42}{customer:<24}{one.last_error}")


@group.command("replay")
@click.argument("customer")
def replay(customer: str) -> None:
    """Fetch a customer anew; its events that were given up are done with it."""
    with (
        served(make_app()).app_context(),
        context.use(actor=context.SYSTEM),
        db.unit_of_work(tenant=None) as session,
    ):
        if session.get(Sync, customer) is None:
            raise click.ClickException(f"No event ever named {customer}.")
        sync.want(session, customer)
    click.echo(f"{customer} is fetched anew.")
