"""EcoTaxa -> answers -> EcoTaxa -> Darwin Core, in three commands."""

import csv

import pytest
from dwca.read import DwCAReader

import holotype
from holotype.cli import publishing
from holotype.collection.sources import ecotaxa
from holotype.collection.sources.item import SourceOptions
from holotype.exchange.darwin_core.check import check_darwin_core
from holotype.exchange.ecotaxa.check import check_ecotaxa
from holotype.identify.answers import AnswerSettings

HEADER = (
    "img_file_name object_id object_lat object_lon object_date object_time object_depth_min sample_id "
    "acq_id"
)
DATASET = f"""
title = "A net sample"
abstract = "{"Specimens of one net, imaged and named by a machine. " * 6}"
licence = "CC0-1.0"
[[creators]]
organisation = "A laboratory"
"""


@pytest.fixture
def sample(tmp_path, png):
    """An EcoTaxa import folder of eight objects, one with a damaged image."""
    folder = tmp_path / "net1"
    folder.mkdir()
    rows = [HEADER.split(), ["[t]", "[t]", "[f]", "[f]", "[t]", "[t]", "[f]", "[t]", "[t]"]]
    for number in range(8):
        content = png(number) if number else png(number)[:40]
        (folder / f"o{number}.png").write_bytes(content)
        moment = ["20240502", "081500"]
        rows.append(
            [f"o{number}.png", f"o{number}", "70.5", "-20.25", *moment, "10", "net1", "net1_a"]
        )
    with (folder / "ecotaxa_net1.tsv").open("w", newline="") as handle:
        csv.writer(handle, delimiter="\t").writerows(rows)
    (tmp_path / "dataset.toml").write_text(DATASET)
    return folder


def test_three_commands_from_ecotaxa_to_obis(tiny_run, sample, tmp_path):
    answers = tmp_path / "answers.parquet"
    holotype.predict(tiny_run, [sample], out=answers, settings=AnswerSettings(max_error=0.99))
    back, archive = tmp_path / "back.zip", tmp_path / "archive.zip"
    publishing.publish(answers, to="ecotaxa", out=back)
    publishing.publish(answers, to="darwin-core", out=archive, dataset=tmp_path / "dataset.toml")
    assert check_ecotaxa(back) == []
    objects = [item.fields for item in ecotaxa.SOURCE.read(back, SourceOptions()) if item.fields]
    assert {fields["specimen_id"] for fields in objects} == {f"o{number}" for number in range(1, 8)}
    assert {fields["latitude_deg"] for fields in objects} == {"70.5"}
    assert {fields["collected_on"] for fields in objects} == {"2024-05-02T08:15:00"}
    assert check_darwin_core(archive).errors == {}
    with DwCAReader(str(archive)) as opened:
        events = [row.id for row in opened]
    assert events == ["net1", "net1:net1_a"]
