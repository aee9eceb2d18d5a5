"""Files of all sorts, written for the test that wants them."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

WriteCsv = Callable[..., Path]
WriteBook = Callable[..., Path]

_SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@pytest.fixture
def text_file(tmp_path: Path) -> WriteCsv:
    """Write a text file, in UTF-8 unless said otherwise."""

    def write(content: str | bytes, encoding: str = "utf-8", name: str = "file.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def parts_of_book(
    rows: str, *, strings: str = "", styles: str = "", sheets: tuple[str, ...] = ("Data",), prefix: str = ""
) -> dict[str, str]:
    """Return the parts of a workbook with the given rows in each sheet."""
    names = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1))
    targets = "".join(
        f'<Relationship Id="r{n}" Type="{_REL}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    return {
        "_rels/.rels": f'<R><Relationship Id="a" Type="{_REL}/officeDocument" Target="/xl/workbook.xml"/></R>',
        "xl/workbook.xml": f'<workbook xmlns:r="{_REL}">{prefix}<sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<R>{targets}<Relationship Id="s" Type="{_REL}/sharedStrings" '
        f'Target="sharedStrings.xml"/><Relationship Id="y" Type="{_REL}/styles" Target="styles.xml"/></R>',
        "xl/sharedStrings.xml": f"<sst>{strings}</sst>",
        "xl/styles.xml": f"<styleSheet>{styles}</styleSheet>",
        **{f"xl/worksheets/sheet{n}.xml": _SHEET.format(rows) for n in range(1, len(sheets) + 1)},
    }


@pytest.fixture
def book_file(tmp_path: Path) -> WriteBook:
    """Write a workbook from parts."""

    def write(parts: Mapping[str, str | bytes], name: str = "book.xlsx") -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for part, content in parts.items():
                archive.writestr(part, content)
        return path

    return write


@pytest.fixture
def shared_data() -> Path:
    """Return the folder with real files, or skip where it is not."""
    folder = Path(__file__).parents[4] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder with real data is not on this machine")
    return folder
