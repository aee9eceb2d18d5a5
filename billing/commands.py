"""`kehu billing`: the catalogue, and what operators decide about a firm."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any

import click
from flask import Flask

from billing import modes
from billing.accounts import AccountService
from billing.addon_prices import sold
from billing.anew import begin_anew, firms_of
from billing.catalogue import catalogue
from billing.entitlements import PLUGIN
from billing.kinds import KINDS, present, recount, served
from billing.manual import ManualService
from billing.periods import end_of_day
from billing.prices import apply, steps
from billing.refunds import RefundService
from billing.stripe.commands import group as stripe_group
from billing.stripe.prices import publish, publish_coupons
from billing.stripe.views import gateway
from kehu.cli.scope import make_app, tenant_scope
from kehu.core import clock, context, db, hooks
from kehu.core.errors import InvalidInput
from kehu.core.ids import new_id
from kehu.core.money import to_minor
from plugins.results import BillingMode


class DecimalText(click.ParamType[Decimal]):
    """An amount as people write it, above nought."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return it as a decimal number."""
        try:
            found = Decimal(value)
        except InvalidOperation:
            found = Decimal(0)
        if not found.is_finite() or found <= 0:
            self.fail(f"{value!r} is no amount above nought; write it as 12.50.", param, ctx)
        return found


def _app() -> Flask:
    """Return the application, unless its database forbids to work with it as it is set."""
    return served(make_app())


@click.group("billing")
def group() -> None:
    """Plans, prices and what operators decide about a firm's billing."""


group.add_command(stripe_group)


@group.command("catalogue")
@click.option("--dry-run", "write", flag_value=False, default=True, help="Only say what would be done.")
@click.option("--apply", "write", flag_value=True, help="Write new prices down.")
def show_catalogue(write: bool) -> None:
    """Check the catalogue of plans and write new prices down; a price that stands is never changed."""
    app, found = make_app(), catalogue()
    with app.app_context(), context.use(actor=context.SYSTEM), db.unit_of_work() as session:
        done = apply(session, found) if write else steps(session, found)
    for step in done:
        click.echo(step.line())
    new = sum(step.action == "add" for step in done)
    click.echo(f"{len(done)} prices, {new} {'written down' if write else 'to add with --apply'}.")
    for coupon in found.coupons.values():
        click.echo(f"coupon {coupon.code:<36}{coupon.percent} % off, {coupon.months or 'all'} months")
    if write and modes.mode() is BillingMode.STRIPE:
        with app.app_context(), context.use(actor=context.SYSTEM):
            click.echo(
                f"{publish(gateway())} of them are new at Stripe, and {publish_coupons(gateway())} coupons."
            )


@group.command("check")
def check_kinds() -> None:
    """Count the customers of this database by kind, and tell whether this installation may serve them."""
    app = make_app()
    with app.app_context(), context.use(actor=context.SYSTEM):
        found = recount()
    for kind, row in found.items():
        click.echo(f"{KINDS[kind]}: {row.firms} (such as {row.address})")
    if not found:
        click.echo("No firm is a customer yet.")
    served(app)
    click.echo("This installation may serve them.")


@group.command("begin-anew")
@click.option("--kind", type=click.Choice(list(KINDS)), required=True, help="Customers of what.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def begin_anew_all(kind: str, yes: bool) -> None:
    """Let all customers of another kind begin anew with a trial; their own data stays as it is."""
    app = make_app()
    with app.app_context(), context.use(actor=context.SYSTEM):
        if kind == present():
            raise click.ClickException(f"This installation serves {KINDS[kind]}; nothing has to begin anew.")
        firms = firms_of(kind)
        if kind in ("test", "live"):
            click.echo("Nothing is told to Stripe: subscriptions there go on until somebody ends them there.")
        if not yes:
            click.confirm(f"Drop what {len(firms)} {KINDS[kind]} have here?", abort=True)
        for firm in firms:
            with db.unit_of_work(tenant=None):
                tenant = hooks.tenant_by_id(firm)
            if tenant is not None:
                with db.unit_of_work(tenant=tenant) as session:
                    begin_anew(session)
        recount()
    click.echo(f"Begun anew: {len(firms)}.")


@group.command("hold")
@click.argument("address")
@click.option("--reason", required=True, help="Why; it stands in the firm's trail.")
def hold(address: str, reason: str) -> None:
    """Put a firm on hold: nobody writes, the owner alone reads and exports."""
    with tenant_scope(_app(), address):
        found = AccountService(db.session()).hold(reason)
    click.echo(f"{address} is {found.phase.value}.")


@group.command("release")
@click.argument("address")
@click.option("--reason", required=True, help="Why; it stands in the firm's trail.")
def release(address: str, reason: str) -> None:
    """Take a hold back."""
    with tenant_scope(_app(), address):
        found = AccountService(db.session()).release(reason)
    click.echo(f"{address} is {found.phase.value}.")


@group.command("grant")
@click.argument("address")
@click.argument("feature")
@click.argument("value", type=click.IntRange(0))
@click.option("--reason", required=True, help="Why; it stands in the firm's trail.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day; for good when not given.")
def grant(address: str, feature: str, value: int, reason: str, until: dt.datetime | None) -> None:
    """Give a firm a feature whatever its plan says (1), take one (0), or set a number; `plugin:SLUG` is an add-on."""
    app = _app() if feature.startswith(PLUGIN) else None
    known_plugin = app is not None and sold(feature.removeprefix(PLUGIN)) is not None
    if feature not in catalogue().features and not known_plugin:
        known = ", ".join([*catalogue().features, f"{PLUGIN}<slug of a paid add-on>"])
        raise click.ClickException(f"There is no feature {feature!r}. Use one of: {known}.")
    with tenant_scope(app or _app(), address):
        AccountService(db.session()).override(feature, value, reason, _end_of(until))
    click.echo(f"{address}: {feature} is {value}{f' until {until:%Y-%m-%d}' if until else ''}.")


@group.command("plan")
@click.argument("address")
@click.argument("plan")
@click.option("--seats", type=click.IntRange(1), required=True)
@click.option("--interval", type=click.Choice(["month", "year"]), default="month", show_default=True)
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day of the present period.")
@click.option("--reason", required=True, help="Why; it stands in the firm's trail.")
def plan(address: str, plan: str, seats: int, interval: str, until: dt.datetime | None, reason: str) -> None:
    """Mode manual: let a firm have a plan and seats from now on; an invoice is written for what is more."""
    with tenant_scope(_app(), address):
        found = ManualService(db.session()).set_plan(plan, interval, seats, reason, _end_of(until))
    click.echo(f"{address} is {found.phase.value}.")


@group.command("addon")
@click.argument("address")
@click.argument("slug")
@click.option("--on/--off", "on", default=True, help="Put it on the bill, or take it off.")
@click.option("--reason", required=True, help="Why; it stands in the firm's trail.")
def addon(address: str, slug: str, on: bool, reason: str) -> None:
    """Mode manual: put a paid add-on on a firm's bill and switch it on, or take it off with the period's end."""
    with tenant_scope(_app(), address):
        ManualService(db.session()).set_addon(slug, on, reason)
    click.echo(f"{address}: {slug} is {'on' if on else 'off'} the bill.")


@group.command("paid")
@click.argument("address")
@click.argument("number")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day; today when not given.")
@click.option("--reason", default="bank transfer", show_default=True)
def paid(address: str, number: str, day: dt.datetime | None, reason: str) -> None:
    """Mode manual: note that an invoice was paid."""
    moment = day.replace(tzinfo=dt.UTC) if day else clock.now()
    with tenant_scope(_app(), address):
        found = ManualService(db.session()).paid(number, moment, reason)
    click.echo(f"{number} is paid; {address} is {found.phase.value}.")


@group.command("void")
@click.argument("address")
@click.argument("number")
@click.option("--reason", required=True, help="Why; it stands in the firm's trail.")
def void(address: str, number: str, reason: str) -> None:
    """Mode manual: call an open invoice off; its number stays used."""
    with tenant_scope(_app(), address):
        found = ManualService(db.session()).void(number, reason)
    click.echo(f"{number} is void; {address} is {found.phase.value}.")


@group.command("tax-id")
@click.argument("address")
@click.argument("number")
@click.option("--verified/--refused", required=True, help="What the register of tax ids says.")
@click.option(
    "--reason", required=True, help="Where and when it was looked up; it stands in the firm's trail."
)
def tax_id(address: str, number: str, verified: bool, reason: str) -> None:
    """Mode manual: say whether a firm's tax id was found in its register; reverse charge needs that."""
    with tenant_scope(make_app(), address):
        AccountService(db.session()).judge_tax_id(number, verified, reason)
    click.echo(f"{address}: the tax id {'counts' if verified else 'does not count'} from now on.")


@group.command("end")
@click.argument("address")
@click.option("--reason", required=True, help="Why; it stands in the firm's trail.")
def end(address: str, reason: str) -> None:
    """Mode manual: end a firm's subscription with its period."""
    with tenant_scope(_app(), address):
        ManualService(db.session()).end(reason)
    click.echo(f"{address}: the subscription ends with its period.")


@group.command("credit")
@click.argument("address")
@click.argument("number")
@click.option("--amount", type=DecimalText(), help="In the invoice's currency, with tax; all when not given.")
@click.option("--reason", required=True, help="Why; it stands on the credit note and in the firm's trail.")
def credit(address: str, number: str, amount: Decimal | None, reason: str) -> None:
    """Write a credit note: an open invoice is reduced, of a paid one the next one is."""
    _give_back("credit", address, number, amount, reason)


@group.command("refund")
@click.argument("address")
@click.argument("number")
@click.option("--amount", type=DecimalText(), help="In the invoice's currency, with tax; all when not given.")
@click.option("--reason", required=True, help="Why; it stands on the credit note and in the firm's trail.")
def refund(address: str, number: str, amount: Decimal | None, reason: str) -> None:
    """Pay back what was paid for an invoice, with a credit note; what the firm may do stays as it is."""
    _give_back("refund", address, number, amount, reason)


def _give_back(kind: str, address: str, number: str, amount: Decimal | None, reason: str) -> None:
    with tenant_scope(_app(), address):
        service = RefundService(db.session())
        invoice = service.invoice(number)
        minor = to_minor(amount, invoice.currency) if amount is not None else None
        give = service.refund if kind == "refund" else service.credit
        try:
            given = give(invoice, minor, reason, request_id=new_id())
        except InvalidInput as error:
            raise click.ClickException(" ".join(error.fields[next(iter(error.fields))])) from error
    done = "is written" if given.state == "done" else "is on its way to the provider"
    click.echo(f"{address}: the credit note on {number} {done}.")


def _end_of(day: dt.datetime | None) -> dt.datetime | None:
    return end_of_day(day.date(), context.tenant().tz) if day is not None else None


COMMANDS = (group,)
