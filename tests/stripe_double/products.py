"""Products: https://docs.stripe.com/api/products."""

from __future__ import annotations

from tests.stripe_double.errors import invalid
from tests.stripe_double.events import Watch, emit
from tests.stripe_double.fields import only, put, put_metadata
from tests.stripe_double.routes import route
from tests.stripe_double.world import Obj, World

PLAIN = ("name", "active", "description", "unit_label", "statement_descriptor", "tax_code", "url", "images")


@route("POST /v1/products", "ProductCreateParams")
def create(world: World, p: Obj) -> Obj:
    """Create a product; the id may be chosen: https://docs.stripe.com/api/products/create."""
    only(p, (*PLAIN, "metadata", "id"))
    if p.get("id") in world.objects:
        raise invalid("Product already exists.", "id", "resource_already_exists")
    now = world.now()
    made = world.new("product", "prod", p.get("id"), active=True, created=now, updated=now, type="service")
    put(made, p, PLAIN)
    put_metadata(made, p)
    emit(world, "product.created", made)
    return made


@route("GET /v1/products/{product}", "ProductRetrieveParams")
def retrieve(world: World, p: Obj, product: str) -> Obj:
    """Return a product: https://docs.stripe.com/api/products/retrieve."""
    return world.get("product", product)


@route("POST /v1/products/{product}", "ProductUpdateParams")
def update(world: World, p: Obj, product: str) -> Obj:
    """Change a product: https://docs.stripe.com/api/products/update."""
    only(p, (*PLAIN, "metadata", "default_price"))
    found = world.get("product", product, "product")
    with Watch(world, "product.updated", found):
        put(found, p, (*PLAIN, "default_price"))
        put_metadata(found, p)
        found["updated"] = world.now()
    return found


@route("DELETE /v1/products/{product}", "ProductDeleteParams")
def delete(world: World, p: Obj, product: str) -> Obj:
    """Delete a product without prices: https://docs.stripe.com/api/products/delete."""
    found = world.get("product", product, "product")
    if next(world.all("price", product=product), None):
        raise invalid("This product cannot be deleted because it has one or more user-created prices.")
    emit(world, "product.deleted", found)
    return world.drop(found)


@route("GET /v1/products", "ProductListParams")
def list_all(world: World, p: Obj) -> Obj:
    """List products: https://docs.stripe.com/api/products/list."""
    ids = p.get("ids")
    return world.page(
        "product", p, lambda o: o["active"] == p.get("active", o["active"]) and (not ids or o["id"] in ids)
    )
