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


def test_all_scenarios_pass(double: Running, prices: Prices, tmp_path: Path) -> None:
    config = (
        f"stripe: {{key: {KEY}}}\nvars: {{monthly_price: {prices.team}, upgrade_price: {prices.large}}}\n"
    )
    (tmp_path / "billing-e2e.yml").write_text(config)
    launcher = [sys.executable, "-m", "tests.stripe_double.e2e", double.url]
    for command in (["init"], ["run", "scenarios", "--junit", "report.xml"]):
        done = subprocess.run(
            launcher + command,
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    report = ET.parse(tmp_path / "report.xml").getroot()
    suites = [report] if report.tag == "testsuite" else list(report)
    assert sum(int(s.get("failures", 0)) + int(s.get("errors", 0)) for s in suites) == 0
    assert "5 scenario(s) passed" in done.stdout
