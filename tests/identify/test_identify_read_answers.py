"""Answers come back as they were, from any of the three formats; what is none of them is refused in words."""

import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

import holotype
from holotype.errors import SourceError
from holotype.identify.columns import ANSWER_SCHEMA
from holotype.identify.read_answers import read_answers
from holotype.identify.writers import ENDINGS, JSON_COLUMNS, write_tables

TEXTS = [
    None, "Calanus finmarchicus", "=1+1", "'=1+1", "-12.5", "\uff1dx", "a,b;c\t\"d\"", "two\nlines", "NA",
    "null", "é ü 紅", "'t Hooft", "1e5", "007", "@home", "true",
]  # fmt: skip


def made(rows: int = 60) -> pa.Table:
    """Rows of every kind of value, some of them awkward."""
    drawn = random.Random(3)
    values = []
    for number in range(rows):
        row = {}
        for field in ANSWER_SCHEMA:
            if field.name in JSON_COLUMNS:
                told = [{"label": drawn.choice(TEXTS[1:]), "score": round(drawn.random(), 6)}]
                row[field.name] = drawn.choice([None, json.dumps(told, ensure_ascii=False)])
            elif pa.types.is_string(field.type):
                row[field.name] = drawn.choice(TEXTS)
            elif pa.types.is_boolean(field.type):
                row[field.name] = drawn.choice([None, True, False])
            elif pa.types.is_integer(field.type):
                row[field.name] = drawn.choice([None, 0, 1234])
            else:
                row[field.name] = drawn.choice([None, 0.0, -0.1, 1e-7, 1 / 3, 12345678.5])
        values.append({**row, "input": f"in/{number}.png"})
    return pa.Table.from_pylist(values, schema=ANSWER_SCHEMA)


def written(tmp_path: Path, ending: str, table: pa.Table) -> Path:
    path = tmp_path / f"answers{ending}"
    parts = [table.slice(0, 25), table.slice(25)]
    write_tables(parts, table.schema, path, temporary=tmp_path / "part")
    return path


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_value_comes_back(ending: str, tmp_path: Path) -> None:
    table = made()
    found = read_answers(written(tmp_path, ending, table))
    assert found.schema == ANSWER_SCHEMA
    assert found.to_pylist() == table.to_pylist()


def test_numbers_are_numbers_and_formulas_are_text_in_csv(tmp_path: Path) -> None:
    row = {"input": "=HYPERLINK(1)", "longitude_deg": -12.5, "site": "-12.5", "cruise": "+x"}
    path = written(tmp_path, ".csv", pa.Table.from_pylist([row], schema=ANSWER_SCHEMA))
    cells = pacsv.read_csv(path).to_pylist()[0]
    assert cells["input"] == "'=HYPERLINK(1)"
    assert cells["cruise"] == "'+x"
    assert cells["longitude_deg"] == cells["site"] == -12.5


def test_what_a_spreadsheet_saves_is_read(tmp_path: Path) -> None:
    table = made(30)
    path = written(tmp_path, ".csv", table)
    with path.open(newline="", encoding="utf-8") as handle:
        import csv

        rows = [[*row, "a remark"] for row in csv.reader(handle)]
    rows[0][-1] = "my own column"
    with path.open("w", newline="", encoding="utf-8-sig") as handle:
        csv.writer(handle, delimiter=";").writerows(rows)
    assert read_answers(path).to_pylist() == table.to_pylist()


def test_columns_of_the_record_may_be_missing(tmp_path: Path) -> None:
    kept = made(5).drop_columns(["site", "latitude_deg"])
    for ending in (".csv", ".parquet", ".json"):
        found = read_answers(written(tmp_path, ending, kept))
        assert found["latitude_deg"].null_count == 5
        assert found.drop_columns(["site", "latitude_deg"]).to_pylist() == kept.to_pylist()


@pytest.mark.parametrize("ending", ENDINGS)
def test_older_answers_and_other_tables_are_refused(ending: str, tmp_path: Path) -> None:
    older = pa.table({"input": ["a"], "label": ["x"], "taxon_score": [0.6], "failure": [""]})
    with pytest.raises(SourceError, match=r"version 2.*Run holotype predict again"):
        read_answers(written(tmp_path, ending, older))
    other = pa.table({"input": ["a"], "label": ["x"]})
    with pytest.raises(SourceError, match=r"row 1: no file of answers, it lacks answer, "):
        read_answers(written(tmp_path, ending, other))


@pytest.mark.parametrize("ending", ENDINGS)
def test_damaged_and_missing_files_are_refused(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{ending}"
    with pytest.raises(SourceError, match="no such file"):
        read_answers(path)
    whole = written(tmp_path, ending, made()).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="no file of answers"):
        read_answers(path)
    with pytest.raises(SourceError, match="answers end in"):
        read_answers(tmp_path / "x.tsv")


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, ".csv", made(3))
    lines = path.read_text().replace("in/1.png", "in/1.png").splitlines(keepends=True)
    place = ANSWER_SCHEMA.names.index("answer_score")
    import csv

    rows = list(csv.reader(lines))
    rows[2][place] = "about half"
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows(rows)
    with pytest.raises(SourceError, match="about half"):
        read_answers(path)


def test_answers_of_a_run_come_back(tiny_run: Path, brought, tmp_path: Path) -> None:
    for name, content in brought["images"]:
        (tmp_path / name).write_bytes(content)
    images = sorted(tmp_path.glob("*.png"))
    tables = []
    for ending in ENDINGS:
        out = tmp_path / f"a{ending}"
        holotype.predict(tiny_run, [*images, tmp_path / "missing"], out=out)
        tables.append(read_answers(out))
    assert tables[0].num_rows == len(images) + 1
    assert tables[0].to_pylist() == tables[1].to_pylist() == tables[2].to_pylist()
    metadata = json.loads(pq.read_schema(tmp_path / "a.parquet").metadata[b"holotype"])
    assert (metadata["format"], metadata["version"]) == ("holotype-answers", 3)


def test_decimal_commas_of_a_spreadsheet_are_numbers(tmp_path: Path) -> None:
    row = {"input": "a", "score": 0.25, "longitude_deg": -12.5, "site": "1,5", "conflict": True}
    path = written(tmp_path, ".csv", pa.Table.from_pylist([row], schema=ANSWER_SCHEMA))
    cells = pacsv.read_csv(path, convert_options=pacsv.ConvertOptions(strings_can_be_null=True))
    told = {name: cells[name][0].as_py() for name in cells.column_names}
    told |= {"score": "0,25", "longitude_deg": "-12,5", "conflict": "TRUE"}
    lines = [";".join(told), ";".join("" if one is None else str(one) for one in told.values())]
    path.write_bytes("\r\n".join([*lines, ""]).encode("utf-8-sig"))
    (found,) = read_answers(path).to_pylist()
    assert {name: found[name] for name in row} == row


def test_a_broken_number_is_told_with_its_place(tmp_path: Path) -> None:
    row = {"input": "a", "score": 0.25}
    path = written(tmp_path, ".csv", pa.Table.from_pylist([row], schema=ANSWER_SCHEMA))
    path.write_text(path.read_text().replace("0.25", "0.2S"))
    with pytest.raises(SourceError, match=r"score.*Row #2|Row #2.*score|0\.2S"):
        read_answers(path)


@pytest.mark.parametrize("ending", ENDINGS)
def test_numbers_that_are_none_are_not_known(ending: str, tmp_path: Path) -> None:
    values = [float("nan"), float("inf"), None, -12.5]
    rows = [{"input": str(at), "latitude_deg": value} for at, value in enumerate(values)]
    path = written(tmp_path, ending, pa.Table.from_pylist(rows, schema=ANSWER_SCHEMA))
    assert read_answers(path)["latitude_deg"].to_pylist() == [None, None, None, -12.5]
