"""Who may be a household, and how relations read from both ends."""

import pytest

from kehu.relations.rule import MOST_SURNAMES, Person, address_key, judge, pairs_at, surname
from kehu.relations.wording import KINDS, pair_of, wording

HOME = {"street": "12 Mill Street, Apt 4", "postcode": "LS1 4AB", "city": "Leeds"}


def person(name, address=HOME, **more):
    return Person(id=name, name=name, addresses=[address] if address else [], **more)


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ({"street": "12 MILL ST, flat 4", "postcode": "ls1 4ab"}, True),
        ({"street": "12 Mill Street, Apt 5", "postcode": "LS1 4AB"}, False),
        ({"street": "12 Mill Street", "postcode": "LS1 4AB"}, False),
        ({"street": "12 Mill Street, Apt 4", "postcode": "LS2 4AB"}, False),
    ],
)
def test_one_address_in_several_ways(address, same):
    assert (address_key(address) == address_key(HOME)) is same


@pytest.mark.parametrize(
    "street", ["PO Box 12", "P.O. Box 12", "Postfach 12", "а/я 12", "邮箱12", "Mill Street", ""]
)
def test_addresses_that_prove_nothing(street):
    assert address_key({"street": street, "city": "Leeds"}) == ""


def test_surnames():
    assert [surname(one) for one in ("Anna Lindqvist", "Lindqvist, Anna", "王小明", "欧阳修", "")] == [
        "lindqvist",
        "lindqvist",
        "王",
        "欧阳",
        "",
    ]


@pytest.mark.parametrize(
    ("other", "reasons"),
    [
        (person("Bo Lindqvist"), ("surname",)),
        (person("Bo Ek", phones=["+441"]), ("phone",)),
        (person("Bo Ek", emails=["HOME@x.example"]), ("email",)),
        (person("Bo Ek"), None),
        (person("Bo Lindqvist", None), None),
    ],
)
def test_the_rule(other, reasons):
    found = judge(person("Anna Lindqvist", phones=["+441"], emails=["home@x.example"]), other)
    assert (found.reasons if found else None) == reasons


def test_a_house_with_many_names_is_no_household():
    names = [f"Anna Name{number}" for number in range(MOST_SURNAMES)]
    assert len(pairs_at([person(one) for one in [*names, "Bo Name1"]])) == 1
    assert pairs_at([person(one) for one in [*names, "Bo Name1", "Bo Other"]]) == []


def test_both_ends_read_right():
    assert wording("parent", "Parent", forward=True) == "Child"
    assert wording("parent", "Parent", forward=False) == "Parent"
    assert wording("other", "Godmother", forward=True) == "Godmother"
    assert pair_of("spouse", "b", "a") == pair_of("spouse", "a", "b")
    assert pair_of("supplier", "b", "a") != pair_of("supplier", "a", "b")
    assert all(str(one.label) and str(one.inverse) for one in KINDS.values())
