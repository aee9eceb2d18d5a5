"""Calls go to public addresses alone, and are signed as Standard Webhooks has it."""

import socket

import pytest

from kehu.webhooks import calling, signing


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_a_private_address_is_refused(address, monkeypatch):
    assert not calling.public(address)
    # One bad address among the answers of the name server is enough.
    answers = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: answers)
    with pytest.raises(calling.Refused):
        calling.resolve("example.com", 443, private=False)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_a_public_address_is_called(address):
    assert calling.public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com",
        "https://",
        "https://user:word@example.com/",
        "https://example.com:99999/",
        "https://example.com/a b",
        "https://exa\nmple.com/",
        "file:///etc/passwd",
        "https://[::1",
    ],
)
def test_an_address_is_https_with_a_host(url):
    with pytest.raises(calling.Refused):
        calling.parts_of(url, private=False)


def test_the_signature_is_that_of_the_standard():
    # The example of the reference implementations of Standard Webhooks.
    signed = signing.sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
