"""Own fields of a shop, made as an owner makes them."""

import pytest

from kehu.core import context
from kehu.core.records.service import service_for


@pytest.fixture
def make_field(shop):
    """Return the function that adds a field to a type of record and returns its key."""

    def make(label, kind="text", on="customers", **more):
        with shop.work() as session:
            made = service_for("custom_fields", session).create(
                {"object": on, "label": label, "kind": kind, **more}
            )
            shop.tenant = context.tenant()  # As the next request finds it.
            return made.key

    return make
