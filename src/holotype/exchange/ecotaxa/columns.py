"""The columns of the EcoTaxa tables that answers become, with types and meaning.

Source of the format: EcoTaxa (Picheral, Colin & Irisson 2017, https://ecotaxa.obs-vlfr.fr).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from holotype.exchange.answers.writing import HUMAN
from holotype.identify.columns import RANKS, Decision

MAX_LETTERS = 250
MAX_TABLES = 2_000
IMAGES = frozenset({"png", "jpg", "gif"})
_PART = re.compile(r"(?P<taxon>.+) \((?P<part>[^()]+)\)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Status(StrEnum):
    """What EcoTaxa says of an annotation."""

    PREDICTED = "predicted"
    DUBIOUS = "dubious"
    VALIDATED = "validated"


@dataclass(frozen=True)
class TableColumn:
    """One column of an EcoTaxa table.

    Attributes:
        name: with its prefix, lower case.
        type: ``[t]`` for text or ``[f]`` for numbers.
        meaning: what is in it.
    """

    name: str
    type: str
    meaning: str


def _texts(*pairs: tuple[str, str]) -> tuple[TableColumn, ...]:
    return tuple(TableColumn(name, "[t]", meaning) for name, meaning in pairs)


def _numbers(*pairs: tuple[str, str]) -> tuple[TableColumn, ...]:
    return tuple(TableColumn(name, "[f]", meaning) for name, meaning in pairs)


IMAGE_COLUMNS = (
    TableColumn("img_file_name", "[t]", "name of the image beside the table"),
    TableColumn("img_rank", "[f]", "0 for the first image of an object"),
)
PLACE_COLUMNS = (
    *_texts(("object_link", "`image_url`")),
    *_numbers(("object_lat", "`latitude_deg`"), ("object_lon", "`longitude_deg`")),
    *_texts(("object_date", "day of `collected_on`, UTC"), ("object_time", "its time, UTC")),
    *_numbers(("object_depth_min", "`depth_min_m`"), ("object_depth_max", "`depth_max_m`")),
)
ANSWER_TABLE_COLUMNS = (
    TableColumn("object_id", "[t]", "`specimen_id`, else the item of the source"),
    *_texts(
        ("object_annotation_status", "`predicted`, `dubious` or `validated`"),
        ("object_annotation_category", "the safe answer, as EcoTaxa writes names"),
        ("object_annotation_category_id", "EcoTaxa's number of the category, where it is known"),
        ("object_annotation_hierarchy", "lineage of the answer, `A>B>C`"),
        ("object_annotation_date", "day of the prediction, UTC"),
        ("object_annotation_time", "its time, UTC"),
        ("object_annotation_person_name", "Holotype with version and model, or the person"),
        ("object_decision", "`decision`"),
        ("object_decision_reason", "`decision_reason`"),
        ("object_best_label", "`label`: the best single guess, safe or not"),
    ),
    *_numbers(("object_best_score", "`score`"), ("object_answer_score", "`answer_score`")),
    *_numbers(*((f"object_score_{rank}", f"`score_{rank}`") for rank in RANKS)),
    *_numbers(("object_novelty", "`novelty`")),
    *_texts(
        ("object_novelty_rank", "`novelty_rank`"),
        ("object_image_answer", "`image_answer`"),
        ("object_barcode_answer", "`barcode_answer`"),
        ("object_conflict", "`conflict`: `true` or `false`"),
        ("object_answer_without_prior", "`answer_without_prior`"),
        ("object_prior_effect", "`prior_effect`"),
    ),
    *_numbers(("object_identity_pct", "`identity_pct`")),
)
SAMPLE_COLUMNS = (
    TableColumn("sample_id", "[t]", "`sample_id`, else `acquisition_id`"),
    TableColumn("sample_cruise", "[t]", "`cruise`"),
    TableColumn("sample_stationid", "[t]", "`site`"),
    TableColumn("sample_tot_vol", "[t]", "`sampled_volume_l` in cubic metres"),
    TableColumn("acq_id", "[t]", "`acquisition_id`, else the sample"),
    TableColumn("acq_instrument", "[t]", "`instrument`"),
    TableColumn("acq_sub_part", "[t]", "1 / `subsample_fraction`"),
    TableColumn("process_id", "[t]", "the acquisition"),
    TableColumn("process_particle_pixel_size_mm", "[t]", "`pixel_size_um` in millimetres"),
)

_COPIED = {
    "object_link": "image_url",
    "object_lat": "latitude_deg",
    "object_lon": "longitude_deg",
    "object_depth_min": "depth_min_m",
    "object_depth_max": "depth_max_m",
    "object_decision": "decision",
    "object_decision_reason": "decision_reason",
    "object_best_label": "label",
    "object_best_score": "score",
    "object_answer_score": "answer_score",
    "object_novelty": "novelty",
    "object_novelty_rank": "novelty_rank",
    "object_image_answer": "image_answer",
    "object_barcode_answer": "barcode_answer",
    "object_conflict": "conflict",
    "object_answer_without_prior": "answer_without_prior",
    "object_prior_effect": "prior_effect",
    "object_identity_pct": "identity_pct",
    "sample_cruise": "cruise",
    "sample_stationid": "site",
    "acq_instrument": "instrument",
    **{f"object_score_{rank}": f"score_{rank}" for rank in RANKS},
}
"""Column of a table -> column of the answers that it copies."""


def status_of(answer: Mapping[str, Any]) -> Status | None:
    """Returns the status of an annotation, None where there is nothing to annotate.

    Validated is what a person said. Predicted is an answer whose best label is safe. Dubious is one that
    stops at a wider taxon (ambiguous or novel), or where image and barcode contradict one another.
    """
    if answer["status"] == HUMAN:
        return Status.VALIDATED
    if not answer["answer"]:
        return None
    sure = answer["decision"] == Decision.NAMED and not answer["conflict"]
    return Status.PREDICTED if sure else Status.DUBIOUS


def category_of(label: str) -> str:
    """Returns a label as EcoTaxa writes it: the part before the taxon.

    >>> category_of("Calanoida (egg)"), category_of("Calanus finmarchicus")
    ('egg<Calanoida', 'Calanus finmarchicus')
    """
    found = _PART.fullmatch(label)
    return f"{found['part'].replace('_', ' ')}<{found['taxon']}" if found else label


def moment_of(written: str | None) -> tuple[str, str]:
    """Returns an ISO 8601 moment as EcoTaxa's date and time in UTC; "" for what is not known.

    >>> moment_of("2014-04-20T04:20:00+02:00"), moment_of("2014-04-20"), moment_of("2014-04")
    (('20140420', '022000'), ('20140420', ''), ('', ''))
    """
    if not written or _DAY.match(written) is None:
        return "", ""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return "", ""
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    clock = moment.strftime("%H%M%S") if len(written) > 10 else ""
    return moment.strftime("%Y%m%d"), clock


def cells_of(
    answer: Mapping[str, Any], *, dated: datetime, software: str, category_id: str | None
) -> dict[str, str | float | None]:
    """Returns what an answer says by column; ids, images and hierarchy of samples are for the caller."""
    cells: dict[str, str | float | None] = {
        column: answer[name] for column, name in _COPIED.items()
    }
    if answer["conflict"] is not None:
        cells["object_conflict"] = "true" if answer["conflict"] else "false"
    cells["object_date"], cells["object_time"] = moment_of(answer["collected_on"])
    volume, part, pixel = (
        answer[name] for name in ("sampled_volume_l", "subsample_fraction", "pixel_size_um")
    )
    cells["sample_tot_vol"] = volume / 1000 if volume is not None else None
    cells["acq_sub_part"] = 1 / part if part else None
    cells["process_particle_pixel_size_mm"] = pixel / 1000 if pixel is not None else None
    status = status_of(answer)
    if status is not None:
        day, clock = moment_of(dated.isoformat())
        machine = status is not Status.VALIDATED
        model = f" model {answer['model']}" if answer["model"] else ""
        cells |= {
            "object_annotation_status": status.value,
            "object_annotation_category": category_of(answer["answer"]),
            "object_annotation_category_id": category_id,
            "object_annotation_hierarchy": ">".join(answer[rank] for rank in RANKS if answer[rank]),
            "object_annotation_date": day if machine else "",
            "object_annotation_time": clock if machine else "",
            "object_annotation_person_name": (
                f"{software}{model}" if machine else answer["labelled_by"]
            ),
        }
    return cells
