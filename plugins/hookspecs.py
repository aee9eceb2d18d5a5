"""The hooks that plugins implement, and those by which the platform's own parts join it.

Every name begins with `kehu_`. Each hook says when it fires, what it gets and returns, whether the first
answer wins, whether a transaction is open, and its mode (`plugins.rules.Mode`). Arguments are passed by name;
an implementation names only those that it uses. Calls go through `plugins.relay`, never through pluggy's own
callers.
"""

# The bodies are empty on purpose: a specification is its signature and its docstring.

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from plugins.billing_specs import (  # noqa: F401 - hooks of this module like those below
    kehu_addon_offer,
    kehu_billing_state,
    kehu_entitled,
    kehu_price_list,
    kehu_seat_check,
    kehu_seat_offer,
    kehu_take_seat,
)
from plugins.blueprint import PluginBlueprint
from plugins.contracts import (
    CallContext,
    EventRecord,
    MergeWork,
    OutgoingMessage,
    RecordDeclaration,
    SuggestionSubject,
    TenantRecord,
)
from plugins.offering import OfferSource
from plugins.receiving import ReceivedMail
from plugins.reporting import Report
from plugins.results import (
    Criterion,
    CustomField,
    JobDef,
    NavItem,
    Panel,
    Permission,
    PurgeReport,
    RecordAction,
    SettingsSchema,
    Suggestion,
)
from plugins.rules import Mode, Shape, spec
from plugins.sending import MessageTemplate, Refusal
from plugins.starters import Starter
from plugins.subjects import SubjectReport

if TYPE_CHECKING:
    from flask import Flask

# --- declarations: once at boot ---------------------------------------------------------------------------


@spec(Mode.REGISTER, item=PluginBlueprint)
def kehu_register_routes() -> Sequence[PluginBlueprint]:
    """Return the blueprints with the plugin's pages; they are put under `/x/<slug>/`.

    Fires once at boot, before any tenant is known. All answers are used. No transaction is open. Mode R.
    A blueprint is named `<slug>` or `<slug>_…` and keeps its templates in a folder `<slug>/`. For a tenant
    without the plugin every address under the prefix is a 404.
    """
    raise NotImplementedError


@spec(Mode.REGISTER, item=Permission)
def kehu_register_permissions() -> Sequence[Permission]:
    """Return the permissions that the plugin's pages ask for.

    Fires once at boot. All answers are used. No transaction is open. Mode R.
    Codes begin with the slug, as `automotive.vehicle:read`. They are shown to admins before the plugin is
    switched on and join the platform's registry.
    """
    raise NotImplementedError


@spec(Mode.REGISTER, item=RecordDeclaration)
def kehu_register_records() -> Sequence[RecordDeclaration]:
    """Return the plugin's kinds of records, each a `kehu.api.RecordType` named `<slug>.<plural>`.

    Fires once at boot. All answers are used. No transaction is open. Mode R.
    The platform gives each its rights, pages under `/x/<slug>/<plural>`, a REST resource under
    `/api/v1/x/<slug>/<plural>`, import, export, search, trash, undo and history. For a tenant without the plugin
    nothing of it is there. A declaration that can't be used makes the plugin broken.
    """
    raise NotImplementedError


@spec(Mode.REGISTER, item=CustomField)
def kehu_register_custom_fields() -> Sequence[CustomField]:
    """Return the values that the plugin adds to customers, contacts, deals and tickets.

    Fires once at boot. All answers are used. No transaction is open. Mode R.
    Each stands on the record's page, in forms, lists, history, imports, exports and in the API, in tenants that have
    the plugin, and follows the rights over the record. Off keeps the values, a purge removes them.
    """
    raise NotImplementedError


@spec(Mode.REGISTER, item=NavItem)
def kehu_register_navigation() -> Sequence[NavItem]:
    """Return the plugin's lines in the side bar, at most five; each is also a command of the palette.

    Fires once at boot. All answers are used. No transaction is open. Mode R.
    A line is shown to members who have its permission, in tenants that have the plugin.
    """
    raise NotImplementedError


@spec(Mode.REGISTER, item=Panel)
def kehu_register_panels() -> Sequence[Panel]:
    """Return the panels that the plugin puts into the slots of the platform's pages (`plugins.slots`).

    Fires once at boot. All answers are used. No transaction is open. Mode R.
    A lazy panel is fetched from its endpoint when it comes into view, in a request of its own.
    """
    raise NotImplementedError


@spec(Mode.REGISTER, item=RecordAction)
def kehu_register_actions() -> Sequence[RecordAction]:
    """Return buttons for the pages of the platform's records.

    Fires once at boot. All answers are used. No transaction is open. Mode R.
    A button is shown to members who have its permission, in tenants that have the plugin; it opens the endpoint
    with `record_id` in the query string.
    """
    raise NotImplementedError


@spec(Mode.REGISTER, item=JobDef)
def kehu_register_jobs() -> Sequence[JobDef]:
    """Return the plugin's work in the background: by the clock, or when `kehu.api.run_later` asks for it.

    Fires once at boot. All answers are used. No transaction is open. Mode R.
    The platform runs a job for each tenant that has the plugin, in the tenant's zone and language, in a
    transaction of its own, and looks again whether the plugin is on when the job runs. A job that fails tries
    again, counts as a fault of the plugin and ends in the list of failed jobs.
    """
    raise NotImplementedError


@spec(Mode.REGISTER, item=SettingsSchema, shape=Shape.LIST)
def kehu_register_settings() -> Sequence[SettingsSchema]:
    """Return what an admin may set for the plugin: a list with one schema.

    Fires once at boot. No transaction is open. Mode R.
    The form is made from the fields; `ctx.settings` holds the values, with the defaults for what nobody set.
    """
    raise NotImplementedError


@spec(Mode.REGISTER, item=Report)
def kehu_register_reports() -> Sequence[Report]:
    """Return the plugin's reports: tables of figures for a period, under Reports.

    Fires once at boot. All answers are used. No transaction is open. Mode R.
    A report is shown to members who have its permission, in tenants that have the plugin; `run(ctx, period)` is called
    when one looks, within a savepoint, and returns `Figures`. A fault is told on the page and recorded.
    """
    raise NotImplementedError


@spec(Mode.REGISTER, item=MessageTemplate)
def kehu_register_messages() -> Sequence[MessageTemplate]:
    """Return the messages that the plugin sends with `kehu.api.send_message`, in all languages it has.

    Fires once at boot. All answers are used. No transaction is open. Mode R.
    Keys begin with the slug, as `automotive.warranty_ends`. Admins of a tenant may change the texts of a plugin that
    they have; places in braces are filled in for each recipient.
    """
    raise NotImplementedError


@spec(Mode.REGISTER, item=OfferSource)
def kehu_offer_sources() -> Sequence[OfferSource]:
    """Return kinds of dated things of the plugin's own, for which a firm can make rules of offers.

    Fires once at boot. All answers are used. No transaction is open. Mode R.
    Keys begin with the slug, as `dentist.checkup`. The functions of a source are called each night for firms that have
    the plugin and a rule for it, within a savepoint; one that fails is a fault of the plugin and stops that rule alone.
    """
    raise NotImplementedError


@spec(Mode.REGISTER, item=Starter)
def kehu_register_starters() -> Sequence[Starter]:
    """Return what a firm gets to start with: a pipeline, roles, sample data.

    Fires once at boot. All answers are used. No transaction is open. Mode R.
    Admins see them before they switch the plugin on. Pipelines and roles are made then, in the firm's language, once
    for each key, before `kehu_tenant_enabled`; they stay when the plugin is switched off. Sample data is made
    when an admin asks for it, and removed as a whole.
    """
    raise NotImplementedError


@spec(Mode.REGISTER, item=Criterion)
def kehu_register_segments() -> Sequence[Criterion]:
    """Return filters on customers that know the plugin's own data, for lists and segments.

    Fires once at boot. All answers are used. No transaction is open. Mode R.
    Keys begin with the slug. A filter is offered in tenants that have the plugin. When its function fails the list says
    so and shows nothing, and a segment that uses it reaches nobody.
    """
    raise NotImplementedError


# --- life cycle: one tenant, one plugin -------------------------------------------------------------------


@spec(Mode.LIFECYCLE, transaction=True)
def kehu_tenant_enabling(ctx: CallContext) -> None:
    """Say what stands against switching the plugin on for this tenant, by raising `Veto` with a sentence.

    Fires for that plugin only, before anything is prepared, in the transaction that switches it on, within a
    savepoint. Returns nothing. Mode L: a veto or another exception leaves everything as it was.

    :param ctx: the tenant, the member who acts, the session and the platform's services.
    """
    raise NotImplementedError


@spec(Mode.LIFECYCLE, transaction=True)
def kehu_tenant_enabled(ctx: CallContext, first_time: bool) -> None:
    """Prepare one tenant that has just switched the plugin on: pipelines, templates, settings.

    Fires for that plugin only, in the transaction that switches it on, within a savepoint. Returns nothing.
    Mode L: an exception undoes the whole switch and is shown to the admin. Must be safe to run again.

    :param ctx: the tenant, the member who acts, the session and the platform's services.
    :param first_time: False when the tenant had the plugin before and its data is still there.
    """
    raise NotImplementedError


@spec(Mode.LIFECYCLE, transaction=True)
def kehu_tenant_disabled(ctx: CallContext) -> None:
    """Let go of what lives outside: remote subscriptions, sign-ins elsewhere.

    Fires for that plugin only, in the transaction that switches it off, within a savepoint. Returns nothing.
    Mode L: an exception is recorded and the plugin is switched off all the same. Data stays.

    :param ctx: the tenant, the member who acts, the session and the platform's services.
    """
    raise NotImplementedError


@spec(Mode.LIFECYCLE, transaction=True)
def kehu_tenant_upgrade(ctx: CallContext, from_version: int, to_version: int) -> None:
    """Convert one tenant's data after `data_version` in the manifest has grown.

    Fires in a job for each tenant that has the plugin, within a savepoint; until it is done the tenant sees a
    page that says so. Returns nothing. Mode L: after an exception the job tries again and the tenant waits; others
    go on. Must be safe to run again.

    :param ctx: the tenant, the session and the platform's services.
    :param from_version: the version that the tenant's data has.
    :param to_version: that of the manifest.
    """
    raise NotImplementedError


@spec(Mode.LIFECYCLE, item=PurgeReport, shape=Shape.ONE, transaction=True)
def kehu_tenant_purge(ctx: CallContext, dry_run: bool) -> PurgeReport | None:
    """Remove what the plugin keeps of a tenant elsewhere: files of its own, data at other services.

    The rows of its tables, its settings, rights, jobs and fields are removed by the platform. Fires for that plugin
    only: with `dry_run` when an admin looks at what a purge would take, without it in the job that purges, within
    a savepoint. Returns what it removed, or None. Mode L: an exception is recorded and the purge goes on.

    :param ctx: the tenant, the session and the platform's services.
    :param dry_run: count only.
    """
    raise NotImplementedError


@spec(Mode.LIFECYCLE, item=SubjectReport, shape=Shape.ONE, transaction=True)
def kehu_subject_data(ctx: CallContext, object: str, record_id: UUID, mode: str) -> SubjectReport | None:
    """Say, or remove, what the plugin keeps of one person that the platform does not find by itself.

    Rows with a key to the customer or contact, and rows that point at those, need no hook: they are exported and
    erased by the platform, also for plugins that are switched off. This is for data at other services, for texts and
    JSON that name the person, and for what must outlive him (a car that was sold on).
    Fires in the plugin's tenant when a person's data is exported, counted before an erasure, or erased, within a
    savepoint, before the platform's own part. Returns a report, or None. Mode L: an exception stops the export or
    the erasure, and nothing is changed.

    :param ctx: the tenant, the member who acts, the session and the platform's services.
    :param object: `customers` or `contacts`.
    :param record_id: the person.
    :param mode: `export`, `count` or `erase`.
    """
    raise NotImplementedError


# --- events -----------------------------------------------------------------------------------------------


@spec(Mode.OBSERVE, transaction=True)
def kehu_after_change(ctx: CallContext, event: EventRecord) -> None:
    """Act on something that has happened: `deal.won`, `ticket.closed`, `customer.created`.

    Fires after the commit, in a job per plugin, with a transaction of its own. Returns nothing. Mode O: after
    an exception the job tries again, so an event may come twice; it ends in the list of failed jobs.

    :param ctx: the tenant, the session and the platform's services.
    :param event: name and data of the change.
    """
    raise NotImplementedError


# --- messages that come in --------------------------------------------------------------------------------


@spec(Mode.LIFECYCLE, item=bool, first=True, transaction=True)
def kehu_mail_received(ctx: CallContext, mail: ReceivedMail) -> bool | None:
    """Take in a mail that came to an address of the firm, and return True; None leaves it to the next plugin.

    Fires when the mail server hands a mail to `kehu mail take-in`, for one plugin after the other within a savepoint;
    the first answer wins. Keep the mail before you answer: what no plugin takes becomes a ticket, when it came to the
    address of a queue, or goes back to its sender. Mode L: after an exception nothing is kept and the mail server tries
    again, so a mail may come twice.

    :param ctx: the tenant, the session and the platform's services.
    :param mail: recipient, sender, message id and the whole message.
    """
    raise NotImplementedError


# --- pages ------------------------------------------------------------------------------------------------


@spec(Mode.CONTRIBUTE, item=Suggestion, transaction=True)
def kehu_suggestions(ctx: CallContext, subject: SuggestionSubject) -> Sequence[Suggestion]:
    """Return next steps for a customer or deal, each with its reason; an empty list when there are none.

    Fires when the card of suggestions on the record's page is drawn, and again when somebody takes one up or declines
    it. All answers are used. A transaction is open, within a savepoint. Mode C: a plugin that fails is left out.
    What was taken up or declined is not shown again for some time; the platform keeps count.

    :param ctx: the tenant, the member who looks, the session and the platform's services.
    :param subject: the record.
    """
    raise NotImplementedError


# --- messages that leave the house ------------------------------------------------------------------------


@spec(Mode.GUARD, item=Refusal, first=True, transaction=True)
def kehu_check_send(ctx: CallContext, message: OutgoingMessage) -> Refusal | None:
    """Return why a message must not go out now, or None to let it pass.

    Fires before any message is queued and once more before it is sent, after the platform's own rules (consent, quiet
    hours, frequency) let it pass; also when a preview counts who will get it. The first answer wins. A transaction is
    open, within a savepoint. Mode G: an exception holds the message back. The plugin needs the capability `guard`.

    :param ctx: the tenant, the session and the platform's services.
    :param message: channel, purpose, template and recipient.
    """
    raise NotImplementedError


# --- records that become one ---------------------------------------------------------------------------------


@spec(Mode.GUARD, transaction=True)
def kehu_merge_records(ctx: CallContext, merge: MergeWork) -> None:
    """Settle what can't simply point at another record: a customer or contact goes into another, or comes back.

    Fires in the transaction that merges, within a savepoint, before the platform moves rows; and with `merge.undoing`
    after it has moved them back. Returns nothing. Mode G: an exception refuses the merge. The plugin needs the
    capability `guard`. Rows with a key to the record need no hook: the platform lets them point at the kept one, and
    leaves with the dropped one what a unique index does not allow twice.

    :param ctx: the tenant, the member who acts, the session and the platform's services.
    :param merge: both records, and notes for the way back.
    """
    raise NotImplementedError


# --- the platform's own parts: `tenants` and `billing` join through these; plugins may not ------------------


@spec(Mode.SYSTEM)
def kehu_init_app(app: "Flask") -> None:
    """Add a part's pages, commands and tasks to the application.

    Fires once at the end of `create_app()`. Returns nothing. No transaction is open. Mode S.

    :param app: the application, with the platform's own pages in place.
    """
    raise NotImplementedError


@spec(Mode.SYSTEM, item=TenantRecord, first=True)
def kehu_resolve_tenant(host: str, claimed_id: UUID | None) -> TenantRecord | None:
    """Find the tenant of a request.

    Fires at the start of each request, before a transaction is bound to a tenant. The first answer wins. Mode
    S.

    :param host: host name of the request without the port, in lower case.
    :param claimed_id: the tenant that the session last chose; believed only after the membership is checked.
    """
    raise NotImplementedError


@spec(Mode.SYSTEM, item=TenantRecord, first=True)
def kehu_tenant_by_id(tenant_id: UUID) -> TenantRecord | None:
    """Return a tenant for a job, a command or an API token.

    Fires before a transaction is bound to a tenant. The first answer wins. Mode S.
    """
    raise NotImplementedError


@spec(Mode.SYSTEM, item=TenantRecord, shape=Shape.LIST, first=True)
def kehu_member_tenants(user_id: UUID) -> Sequence[TenantRecord] | None:
    """Return the tenants that a person may enter, for the switcher, by name.

    Fires when the switcher is drawn and after signing in. The first answer wins. No tenant is bound. Mode S.
    """
    raise NotImplementedError


@spec(Mode.SYSTEM, item=TenantRecord, shape=Shape.LIST, first=True)
def kehu_active_tenants() -> Sequence[TenantRecord] | None:
    """Return all tenants that are in use, for work that comes back (`kehu.core.schedule`).

    Fires in cross-tenant work, every few minutes. The first answer wins. Mode S.
    """
    raise NotImplementedError


@spec(Mode.SYSTEM, item=bool, first=True)
def kehu_store_plugins(tenant_id: UUID, slugs: Sequence[str], held: Sequence[str]) -> bool | None:
    """Keep which plugins a tenant has switched on, where `kehu_resolve_tenant` finds them.

    Fires when a plugin is switched on or off, in that transaction, with the tenant bound. The first answer wins;
    True says that it is done. Mode S.

    :param slugs: all that are on from now.
    :param held: all that are switched on but may not run now: being brought up to date, or at rest after faults.
    """
    raise NotImplementedError


@spec(Mode.SYSTEM, item=bool, first=True)
def kehu_keep_fact(tenant_id: UUID, name: str, value: object) -> bool | None:
    """Keep a small fact about a tenant where `kehu_resolve_tenant` finds it, among the settings.

    Fires within the transaction that changes the fact, with the tenant bound. The first answer wins; True says
    that it is done. Mode S.

    :param name: of the fact.
    :param value: as JSON.
    """
    raise NotImplementedError
