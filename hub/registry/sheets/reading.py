"""Opens XLSX and CSV files as rows of text: finds the header, skips notes, fills what merged cells leave empty."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from charset_normalizer import from_bytes
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from hub.errors import RegistryError
from hub.registry.sheets.cells import cell_text
from hub.registry.sheets.columns import basis_of, is_dropped, is_ignored, key_of

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_ROWS: Final = 200_000
_HEADER_WITHIN: Final = 15
_NOTE: Final = re.compile(r"^[（(【\[]?(?:例|示例|样例|必填|选填|可选|说明|注[:：]|请填|请按|格式|如[:：]|填写)")
_FILLED: Final = ("estate", "building", "entrance", "door", "address")


@dataclass(slots=True)
class Table:
    """One sheet. `rows` are (row number, key -> text). Never holds what `dropped` columns said."""

    file: str
    sheet: str
    headers: dict[str, str]
    dropped: list[str]
    unknown: list[str]
    basis: str | None
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)


def read_tables(path: Path) -> list[Table]:
    """Every sheet with a header that is understood. Raises RegistryError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RegistryError(
                f"文件超过 {MAX_BYTES // 2**20} MB，请拆分 / {path}: more than {MAX_BYTES // 2**20} MiB; split the file"
            )
        data = path.read_bytes()
    except OSError as error:
        raise RegistryError(
            f"{path}: cannot be read: {error.strerror}; give the path of an XLSX or CSV file"
        ) from error
    return read_bytes(data, path.name)


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person wrote over one cell after a dry run. `column` is the file's header or one of the template's."""

    sheet: str
    row: int
    column: str
    value: str


def correct(tables: Sequence[Table], corrections: Iterable[Correction]) -> None:
    """Put these values in place of the file's. Raises RegistryError for a cell that there is not."""
    for found in corrections:
        table = next((table for table in tables if table.sheet == found.sheet), None)
        row = None if table is None else next((cells for n, cells in table.rows if n == found.row), None)
        if table is None or row is None:
            raise RegistryError(
                f"表/sheet {found.sheet}, 行/row {found.row}: 不存在 / there is no such row; read again"
            )
        key = next((key for key, header in table.headers.items() if header == found.column), key_of(found.column))
        if key is None:
            raise RegistryError(
                f"列/column {found.column}: 未识别 / not known; use a header of the file or the template"
            )
        table.headers.setdefault(key, found.column)
        row[key] = cell_text(found.value)


def read_bytes(data: bytes, name: str) -> list[Table]:
    """`read_tables` for what was uploaded under `name`. Raises RegistryError."""
    if data[:2] == b"PK":
        sheets = list(_xlsx(data, name))
    elif data[:4] == b"\xd0\xcf\x11\xe0":
        raise RegistryError(f"{name}: 旧版 .xls 不支持，请另存为 .xlsx / the old .xls format; save it as .xlsx")
    else:
        sheets = [("CSV", _csv(data, name))]
    tables = [table for sheet, rows in sheets if (table := _table(name, sheet, rows)) is not None]
    if not tables:
        raise RegistryError(
            f"{name}: 没有找到表头（至少需要“房号”或“房屋信息”列）/ no header row found; start from the template"
        )
    return tables


def _xlsx(data: bytes, name: str) -> Iterator[tuple[str, Iterator[tuple[object, ...]]]]:
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        for sheet in book.worksheets:
            # What a file says of its own size may be wrong; the cells are what counts.
            sheet.reset_dimensions()
            yield sheet.title, sheet.iter_rows(values_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise RegistryError(f"{name}: 不是有效的 XLSX 文件 / not a valid XLSX file ({error}); save it again") from error


def _csv(data: bytes, name: str) -> Iterator[tuple[object, ...]]:
    text = _decode(data, name)
    first = text[:4096]
    delimiter = max(",\t;", key=first.count)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield tuple(row)
    except csv.Error as error:
        raise RegistryError(
            f"{name}: 不是有效的 CSV 文件，请检查引号 / not a CSV file: {error}; check its quotes"
        ) from error


def _decode(data: bytes, name: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    best = from_bytes(data[:65536]).best()
    if best is None:
        raise RegistryError(f"{name}: 编码无法识别 / neither UTF-8 nor GB18030; save it as UTF-8")
    return data.decode(best.encoding, errors="replace")


def _table(name: str, sheet: str, rows: Iterator[tuple[object, ...]]) -> Table | None:
    try:
        return _read_table(name, sheet, rows)
    except (zipfile.BadZipFile, KeyError, SyntaxError) as error:
        raise RegistryError(f"{name}: 表 {sheet} 已损坏 / sheet {sheet} is damaged ({error}); save it again") from error


def _read_table(name: str, sheet: str, rows: Iterator[tuple[object, ...]]) -> Table | None:
    table: Table | None = None
    keys: list[str | None] = []
    above: dict[str, str] = {}
    is_first = False
    for number, cells in enumerate(rows, 1):
        texts = [cell_text(cell) for cell in cells]
        if table is None:
            if number > _HEADER_WITHIN:
                return None
            found = _header(name, sheet, texts)
            if found is not None:
                table, keys = found
                is_first = True
            continue
        if not any(texts) or (is_first and _is_note(texts)):
            continue
        is_first = False
        row = {key: text for key, text in zip(keys, texts, strict=False) if key is not None and text}
        if not row:
            continue
        above = _fill(row, above)
        table.rows.append((number, row))
        if len(table.rows) > MAX_ROWS:
            raise RegistryError(f"{name}: 表 {sheet} 超过 {MAX_ROWS} 行 / more than {MAX_ROWS} rows; split the file")
    return table


def _header(name: str, sheet: str, texts: Sequence[str]) -> tuple[Table, list[str | None]] | None:
    keys = [None if is_dropped(text) else key_of(text) for text in texts]
    known = [key for key in keys if key is not None]
    if len(set(known)) < 2 or not {"door", "address", "code"} & set(known):
        return None
    seen: set[str] = set()
    headers: dict[str, str] = {}
    for position, key in enumerate(keys):
        if key is None:
            continue
        if key in seen:
            # The first column of a meaning counts: 门牌号 beside 房号, 电话 beside 手机号.
            keys[position] = None
            continue
        seen.add(key)
        headers[key] = texts[position]
    if "name" not in seen and "landlord" in seen and "landlord_phone" not in seen and "phone" in seen:
        # A sheet of owners alone: its telephone is theirs.
        keys[keys.index("phone")] = "landlord_phone"
        headers["landlord_phone"] = headers.pop("phone")
    dropped = [text for text in texts if is_dropped(text)]
    unknown = [t for t in texts if not is_dropped(t) and key_of(t) is None and not is_ignored(t)]
    basis = next((found for text in texts if (found := basis_of(text)) is not None), None)
    return Table(name, sheet, headers, dropped, unknown, basis), keys


def _is_note(texts: Sequence[str]) -> bool:
    filled = [text for text in texts if text]
    return sum(1 for text in filled if _NOTE.match(text)) * 2 >= len(filled)


def _fill(row: dict[str, str], above: dict[str, str]) -> dict[str, str]:
    """Merged cells have a value in their first row alone: the place goes on until another one is named."""
    named = [key for key in _FILLED if key in row]
    if named:
        first = _FILLED.index(named[0])
        for key in _FILLED[:first]:
            if key in above and "address" not in row:
                row[key] = above[key]
        return {key: row[key] for key in _FILLED if key in row}
    row.update(above)
    return above
