"""The mode is said, never guessed, and what could go wrong quietly does not start."""

from __future__ import annotations

import pytest

from kehu.config import ConfigError, Settings, load_settings

BASE = {"KEHU_SECRET_KEY": "x" * 40, "KEHU_APP_DATABASE_URL": "postgresql://kehu_app@db/kehu"}
STRIPE = {
    **BASE,
    "KEHU_BILLING_MODE": "stripe",
    "KEHU_STRIPE_KEY": "sk_live_1",
    "KEHU_STRIPE_WEBHOOK_SECRET": "whsec_1",
}
TEST_KEY = {**STRIPE, "KEHU_STRIPE_KEY": "sk_test_1", "KEHU_STRIPE_TEST_KEY_OK": "1"}


def load(env: dict[str, str], **changes: str) -> Settings:
    return load_settings({**env, **changes})


def test_what_is_meant_starts() -> None:
    assert load(BASE).billing_mode == "off"
    for mode in ("off", "demo"):
        assert load(BASE, KEHU_BILLING_MODE=mode).billing_mode == mode
    assert load(BASE, KEHU_BILLING_MODE="manual", KEHU_SELLER="Kehu Ltd; 1 High Street").seller
    assert load(STRIPE).stripe_key == "sk_live_1"
    for url in ("http://127.0.0.1:4010", "http://localhost:1", "https://stripe.example.com"):
        assert load(TEST_KEY, KEHU_STRIPE_URL=url).stripe_url == url
    assert load({**TEST_KEY, "KEHU_STRIPE_TEST_KEY_OK": "0"}, KEHU_ENV="test")


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({**STRIPE, "KEHU_STRIPE_KEY": ""}, "KEHU_STRIPE_KEY is missing"),
        ({**STRIPE, "KEHU_STRIPE_KEY": "pk_live_1"}, "no secret key"),
        ({**STRIPE, "KEHU_STRIPE_WEBHOOK_SECRET": ""}, "KEHU_STRIPE_WEBHOOK_SECRET is missing"),
        ({**TEST_KEY, "KEHU_STRIPE_TEST_KEY_OK": "0"}, "test key in production"),
    ],
)
def test_case_70_mode_stripe_without_its_key_does_not_start(env: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(env)


@pytest.mark.parametrize(
    ("env", "url", "said"),
    [
        (STRIPE, "http://127.0.0.1:4010", "live keys go to Stripe alone"),
        (STRIPE, "https://stripe.example.com", "live keys go to Stripe alone"),
        (TEST_KEY, "http://stripe.example.com", "write an https address"),
        (TEST_KEY, "ftp://127.0.0.1", "write an https address"),
        (TEST_KEY, "127.0.0.1", "write an https address"),
    ],
)
def test_case_71_a_live_key_goes_nowhere_else(env: dict[str, str], url: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(env, KEHU_STRIPE_URL=url)


@pytest.mark.parametrize("mode", ["off", "demo", "manual"])
def test_a_key_of_another_mode_is_no_guess(mode: str) -> None:
    with pytest.raises(ConfigError, match="take the key away"):
        load(BASE, KEHU_BILLING_MODE=mode, KEHU_STRIPE_KEY="sk_live_1")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"KEHU_BILLING_MODE": "free"}, "write off, manual, demo or stripe"),
        ({"KEHU_SEAT_LIMIT": "-1"}, "write 0"),
        ({"KEHU_BILLING_MODE": "manual"}, "KEHU_SELLER is missing"),
    ],
)
def test_nonsense_is_refused(changes: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(BASE, **changes)
