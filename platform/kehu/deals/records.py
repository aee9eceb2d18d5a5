"""Deals, products, pipelines and stages as record types."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.core.i18n import _l
from kehu.core.records.codes import code_field
from kehu.core.records.fields import Field, Option
from kehu.core.records.types import RecordType, register
from kehu.deals.models import Deal, Pipeline, Product, Stage

STATUSES = (
    Option(value="open", label=_l("Open"), tone="info"),
    Option(value="won", label=_l("Won"), tone="ok"),
    Option(value="lost", label=_l("Lost"), tone="bad"),
)


def _deals(session: Session) -> Any:
    from kehu.deals.services import DealService

    return DealService(session)


def _products(session: Session) -> Any:
    from kehu.deals.setup_services import ProductService

    return ProductService(session)


def _pipelines(session: Session) -> Any:
    from kehu.deals.setup_services import PipelineService

    return PipelineService(session)


def _stages(session: Session) -> Any:
    from kehu.deals.setup_services import StageService

    return StageService(session)


PIPELINES = register(
    RecordType(
        name="pipelines",
        singular="pipeline",
        label=_l("pipeline"),
        plural=_l("Pipelines"),
        icon="layout-kanban",
        model=Pipeline,
        service=_pipelines,
        owner="",
        default_sort="position",
        path="/deals/board?pipeline={id}",
        searchable=False,
        importable=False,
        fields=(
            Field(
                key="name",
                label=_l("Name"),
                required=True,
                column=True,
                quick=True,
                max_length=60,
                example="Sales",
            ),
            Field(
                key="position", label=_l("Position"), kind="number", readonly=True, sortable=True, column=True
            ),
            Field(
                key="is_default", label=_l("New deals start here"), kind="bool", readonly=True, column=True
            ),
        ),
    )
)

STAGES = register(
    RecordType(
        name="stages",
        singular="stage",
        label=_l("stage"),
        plural=_l("Stages"),
        icon="layout-kanban",
        model=Stage,
        service=_stages,
        owner="",
        default_sort="position",
        path="/deals?stage_id={id}",
        searchable=False,
        importable=False,
        fields=(
            Field(
                key="name",
                label=_l("Name"),
                required=True,
                column=True,
                quick=True,
                max_length=60,
                example="Proposal sent",
            ),
            Field(
                key="pipeline_id",
                label=_l("Pipeline"),
                kind="ref",
                ref="pipelines",
                filterable=True,
                column=True,
            ),
            Field(
                key="position", label=_l("Position"), kind="number", readonly=True, sortable=True, column=True
            ),
            Field(
                key="outcome",
                label=_l("What it means"),
                kind="choice",
                options=STATUSES,
                default="open",
                filterable=True,
                column=True,
            ),
            Field(
                key="probability",
                label=_l("Probability in percent"),
                kind="number",
                minimum=0,
                maximum=100,
                column=True,
                example=50,
            ),
            Field(
                key="usual_days",
                label=_l("Usual days"),
                kind="number",
                minimum=1,
                maximum=3650,
                column=True,
                example=14,
            ),
            Field(
                key="exit_criteria",
                label=_l("Done when"),
                kind="long_text",
                max_length=2000,
                example="The customer has the offer",
            ),
        ),
    )
)

PRODUCTS = register(
    RecordType(
        name="products",
        singular="product",
        label=_l("product"),
        plural=_l("Products"),
        icon="package",
        model=Product,
        service=_products,
        owner="",
        fields=(
            Field(
                key="name",
                label=_l("Name"),
                required=True,
                sortable=True,
                column=True,
                quick=True,
                unique=True,
                example="Oak worktop",
            ),
            Field(
                key="code",
                label=_l("Article number"),
                column=True,
                quick=True,
                unique=True,
                filterable=True,
                max_length=60,
                example="OW-40",
            ),
            Field(
                key="series", label=_l("Series"), column=True, quick=True, filterable=True, example="Kitchen"
            ),
            Field(key="price", label=_l("Price"), kind="money", minimum=0, column=True, quick=True),
            Field(key="currency", label=_l("Currency"), max_length=3, example="EUR"),
            Field(key="created_at", label=_l("Created"), kind="datetime", readonly=True),
            Field(key="updated_at", label=_l("Changed"), kind="datetime", readonly=True),
        ),
    )
)

DEALS = register(
    RecordType(
        name="deals",
        singular="deal",
        label=_l("deal"),
        plural=_l("Deals"),
        icon="layout-kanban",
        model=Deal,
        service=_deals,
        customer="customer_id",
        coded="code",
        default_sort="-updated_at",
        sections={"main": _l("Details"), "dates": _l("Dates"), "more": _l("More")},
        own_fields=True,
        fields=(
            Field(key="number", label=_l("Number"), kind="number", readonly=True, filterable=True),
            Field(
                key="name",
                label=_l("Title"),
                required=True,
                sortable=True,
                column=True,
                quick=True,
                example="Shop fit-out",
            ),
            code_field("deal code", "商机编号", "商機編號", "код сделки"),
            Field(
                key="customer_id",
                label=_l("Customer"),
                kind="ref",
                ref="customers",
                quick=True,
                filterable=True,
            ),
            Field(key="contact_id", label=_l("Contact"), kind="ref", ref="contacts", filterable=True),
            Field(
                key="pipeline_id",
                label=_l("Pipeline"),
                kind="ref",
                ref="pipelines",
                readonly=True,
                filterable=True,
            ),
            Field(
                key="stage_id",
                label=_l("Stage"),
                kind="ref",
                ref="stages",
                column=True,
                quick=True,
                filterable=True,
            ),
            Field(
                key="amount",
                label=_l("Value"),
                kind="money",
                minimum=0,
                sortable=True,
                filterable=True,
                column=True,
                quick=True,
            ),
            Field(
                key="currency",
                label=_l("Currency"),
                max_length=3,
                section="more",
                filterable=True,
                example="EUR",
            ),
            Field(
                key="status",
                label=_l("Status"),
                kind="choice",
                options=STATUSES,
                readonly=True,
                filterable=True,
            ),
            Field(
                key="expected_close",
                label=_l("Expected close"),
                kind="date",
                section="dates",
                sortable=True,
                filterable=True,
                column=True,
                quick=True,
            ),
            Field(key="opened_on", label=_l("Opened on"), kind="date", section="dates", filterable=True),
            Field(key="closed_at", label=_l("Closed on"), kind="datetime", section="dates", filterable=True),
            Field(
                key="stage_since",
                label=_l("In this stage since"),
                kind="datetime",
                section="dates",
                readonly=True,
            ),
            Field(key="owner_id", label=_l("Owner"), kind="member", column=True, filterable=True),
            Field(
                key="product_id",
                label=_l("Product"),
                kind="ref",
                ref="products",
                section="more",
                filterable=True,
            ),
            Field(key="lost_reason", label=_l("Lost because"), section="more", max_length=500),
            Field(key="source", label=_l("Source"), section="more", filterable=True),
            Field(
                key="external_id",
                label=_l("Number elsewhere"),
                section="more",
                unique=True,
                max_length=100,
                filterable=True,
            ),
            Field(key="tags", label=_l("Tags"), kind="tags", filterable=True),
            Field(key="description", label=_l("Description"), kind="long_text"),
            Field(key="created_at", label=_l("Created"), kind="datetime", readonly=True),
            Field(
                key="updated_at",
                label=_l("Changed"),
                kind="datetime",
                readonly=True,
                sortable=True,
                filterable=True,
            ),
        ),
    )
)
