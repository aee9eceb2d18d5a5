"""The five scenarios of the package ``billing-e2e``, unmodified, against the double.

The package knows nothing of the double: it is written to run against Stripe's own test mode.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.functional.stripe_double.conftest import Prices
from tests.stripe_double.process import KEY, ROOT, Running

SCENARIOS = ROOT / "tests" / "stripe_double" / "scenarios"


def _play(double: Running, prices: Prices, folder: Path, *commands: list[str]) -> str:
    step = f"{sys.executable} -m tests.stripe_double.step"
    names = f"monthly_price: {prices.team}, upgrade_price: {prices.large}, plugin_price: {prices.addon}"
    names += f", metered_price: {prices.metered}"
    config = f"stripe: {{key: {KEY}}}\nvars: {{{names}, step: '{step}'}}\n"
    (folder / "billing-e2e.yml").write_text(config)
    launcher = [sys.executable, "-m", "tests.stripe_double.e2e", double.url]
    environment = {"PYTHONPATH": str(ROOT), "STRIPE_TEST_KEY": KEY, "STRIPE_ADDRESS": double.url}
    for command in commands:
        done = subprocess.run(
            launcher + command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    report = ET.parse(folder / "report.xml").getroot()
    suites = [report] if report.tag == "testsuite" else list(report)
    assert sum(int(s.get("failures", 0)) + int(s.get("errors", 0)) for s in suites) == 0
    return done.stdout


def test_all_scenarios_pass(double: Running, prices: Prices, tmp_path: Path) -> None:
    said = _play(double, prices, tmp_path, ["init"], ["run", "scenarios", "--junit", "report.xml"])
    assert "5 scenario(s) passed" in said


def test_our_own_scenarios_pass(double: Running, prices: Prices, tmp_path: Path) -> None:
    said = _play(double, prices, tmp_path, ["run", str(SCENARIOS), "--junit", "report.xml"])
    assert "6 scenario(s) passed" in said
