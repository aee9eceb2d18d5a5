"""The weights of doubles: the published example, names in any order, families, frequent names."""

import pytest

from kehu.merging import rule
from kehu.merging.rule import Candidate, agreement, disagreement, match, probability


def person(name, **values):
    return Candidate(id=object(), name=name, **values)


def firm(name, **values):
    return Candidate(id=object(), name=name, person=False, **values)


def test_the_worked_example():
    weights = [agreement(*rule.WEIGHTS[key]) for key in ("phone", "given", "surname")]
    assert [round(one, 2) for one in weights] == [12.14, 6.52, 5.41]
    other_city = disagreement(*rule.WEIGHTS["city"])
    assert round(other_city, 2) == -1.58
    assert round(probability(sum(weights) + other_city), 3) == 0.999
    same_city = agreement(*rule.WEIGHTS["city"])
    assert round(probability(weights[1] + weights[2] + same_city), 2) == pytest.approx(0.85, abs=0.02)


PHONE, OTHER = ["+442079464410"], ["+442079460000"]
MAIL = ["anna@x.example"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (person("Anna Lindqvist", phones=PHONE), person("Lindqvist Anna", phones=["020 7946 4410"]), True),
        (person("Anna Lindqvist", emails=MAIL), person("anna lindqvíst", emails=["ANNA@x.example"]), True),
        (person("Иванов Пётр", phones=PHONE), person("Petr Ivanov", phones=PHONE), True),
        (person("Иванов Пётр Сергеевич", phones=PHONE), person("Пётр Иванов", phones=PHONE), True),
        (person("王伟", phones=PHONE), person("王伟", phones=PHONE), True),
        (person("王伟", phones=PHONE), person("王芳", phones=PHONE), False),
        (person("A. Lindqvist", emails=MAIL, phones=PHONE), person("Anna Lindqvist", emails=MAIL, phones=PHONE), True),
        (person("Anna Lindqvist", phones=PHONE, city="Ely"), person("Bo Lindqvist", phones=PHONE, city="Ely"), False),
        (person("Anna Lindqvist"), person("Anna Lindqvist"), False),
        (person("Anna Lindqvist", phones=PHONE), person("Anna Lindqvist", phones=OTHER), False),
        (person("Anna Lindqvist", customer_id=1), person("Anna Lindqvist", customer_id=1), True),
        (firm("Northwind Ltd", website="https://n.example/en"), firm("NORTHWIND", website="www.n.example"), True),
        (firm("ООО Ромашка", phones=PHONE), firm("Romashka", phones=PHONE), True),
        (firm("Harbour Taxis", phones=PHONE), firm("Harbor Taxis", phones=PHONE), True),
        (firm("Harbour Taxis", postcode="LS1"), firm("Mill Bakery", postcode="LS1"), False),
        (firm("Anna Lindqvist", phones=PHONE), person("Anna Lindqvist", phones=PHONE), False),
    ],
)  # fmt: skip
def test_who_is_the_same(one, other, same):
    assert bool(match(one, other)) is same
    assert bool(match(other, one)) is same


def test_a_frequent_name_weighs_less():
    one = person("Wei Wang", postcode="LS1", named_alike=2)
    other = person("Wei Wang", postcode="LS1", named_alike=2)
    few = match(one, other, total=1_000)
    assert few
    assert not few.certain
    many = [person("Wei Wang", postcode="LS1", named_alike=200) for _ in range(2)]
    assert match(*many, total=1_000) is None


def test_certain_needs_two_strong_signs():
    sure = match(
        person("Anna Lind", phones=PHONE, emails=MAIL), person("Anna Lind", phones=PHONE, emails=MAIL)
    )
    assert sure
    assert sure.certain
    assert set(sure.agree) == {"given", "surname", "phone", "email"}
