"""The lines that a surface is made of say everything an author could lean on."""

from __future__ import annotations

from kehu.authoring import surface
from plugins.results import BillingMode


def test_a_line_tells_name_types_and_that_there_is_a_default() -> None:
    lines = surface.present()
    assert "slot customer.side(customer_id)" in lines
    assert "kehu.api.public_url(endpoint: str, **values: Any) -> str" in lines
    assert "kehu.api.Call.today: dt.date" in lines
    assert "kehu.api.clock.now() -> dt.datetime" in lines
    assert "kehu.api.select" in lines
    assert any(line.startswith("kehu.api.service_for.<service>.create(self, values:") for line in lines)
    assert not any("kehu_init_app" in line for line in lines)
    assert not any("NoReturn" in line or " at 0x" in line for line in lines)
    assert "mode.OFF = 'off'" in list(surface.described("mode", BillingMode))
