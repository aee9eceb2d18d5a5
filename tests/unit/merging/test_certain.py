"""What is merged without anybody looking, and what never is."""

import datetime as dt

import pytest

from kehu.merging.certain import certain, strong
from kehu.merging.rule import Candidate, match

HOME = {"phones": ("+442079464410",), "street": "4 Mill Lane", "postcode": "LS1 4AB", "city": "Leeds"}
BORN = {"born": dt.date(1961, 2, 3)}
MAIL = {"emails": ("hans@x.example",)}


def pair(one, other, **both):
    found = match(Candidate(id=1, **{**both, **one}), Candidate(id=2, **{**both, **other}))
    assert found is not None
    return found


@pytest.mark.parametrize("both", [{**HOME, **BORN}, {**HOME, **MAIL}, {**BORN, **MAIL}])
def test_two_independent_signs(both):
    found = pair({}, {}, name="Hans Lindqvist", **both)
    assert certain(found)
    assert len(strong(found)) == 2


@pytest.mark.parametrize("both", [HOME, BORN, MAIL])
def test_one_sign_is_not_enough(both):
    """A phone and an address are one home: father and son may share them and the name."""
    assert not certain(pair({}, {}, name="Hans Lindqvist", **both))


def test_families_and_twins_never():
    assert not certain(pair({"name": "Anna Lindqvist"}, {"name": "Bo Lindqvist"}, **HOME, **BORN, **MAIL))
    father, son = {"born": dt.date(1931, 12, 9)}, {"born": dt.date(1961, 2, 3)}
    assert not certain(pair(father, son, name="Hans Lindqvist", **HOME, **MAIL))


def test_companies():
    firm = {"person": False, "name": "Northwind GmbH", "website": "northwind.example"}
    assert certain(pair({}, {"name": "Northwind"}, **firm | {"phones": HOME["phones"]}))
    branches = {"city": "Leeds"}, {"city": "Hamburg"}
    assert not certain(pair(*branches, **firm | {"phones": HOME["phones"]}))
    one_customer_each = {"customer_id": 1}, {"customer_id": 2}
    assert not certain(pair(*one_customer_each, name="Hans Lindqvist", **BORN, **MAIL))
