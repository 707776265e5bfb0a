"""What the files beside a FlowCam list say of its run: settings, volume, measurements, classes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from holotype.collection.reading.fields import parse_degrees, parse_number
from holotype.collection.reading.tabular import open_table, present
from holotype.collection.schema import BOUNDS
from holotype.collection.sources.flowcam.lists import Classification, parse_classes
from holotype.collection.sources.item import Item
from holotype.errors import MediaError, SourceError
from holotype.media.members import Member

MEASURES = {
    "Area (ABD)": "abd_area", "Diameter (ABD)": "abd_diameter", "Diameter (ESD)": "esd_diameter",
    "Length": "length", "Width": "width", "Perimeter": "perimeter", "Aspect Ratio": "",
    "Volume (ABD)": "", "Volume (ESD)": "", "Circularity": "", "Transparency": "",
    "Intensity": "intensity", "Particles Per Chain": "ppc", "Ch1 Peak": "ch1_peak",
    "Ch2 Peak": "ch2_peak", "Original Reference ID": "image_id",
}  # fmt: skip
"""Measurement of the .csv -> field of the .lst that is the same; micrometres."""
LABEL_COLUMNS = ("class", "classification", "class name")
_ID_COLUMNS = ("particle id", "id")
_AMOUNT = re.compile(r"^\s*([0-9][0-9.,]*)\s*(?:ml)?\s*$", re.IGNORECASE)


@dataclass
class Run:
    """What is known of a run besides its list.

    Attributes:
        fields: of every particle.
        measured: measurements and class by particle id.
        classes: the .cla file, or None.
        items: one for each file that was read, or cannot be.
    """

    fields: dict[str, str] = field(default_factory=dict)
    measured: dict[str, Mapping[str, str]] = field(default_factory=dict)
    classes: Classification | None = None
    items: list[Item] = field(default_factory=list)

    def label_fields(self, particle: str) -> dict[str, str]:
        """Returns class and status of a particle: from the .cla file, else from the .csv."""
        label = self.classes.classes.get(particle) if self.classes else None
        if self.classes is None or label is None:
            written = self.measured.get(particle, {}).get("class", "")
            return {"written_label": written} if written else {}
        if label not in self.classes.by_filter:
            return {"written_label": label}
        by = {"labelled_by": self.classes.template, "label_status": "predicted"}
        return {"written_label": label, **by}


def read_run(stem: str, inside: Mapping[str, Member]) -> Run:
    """Returns what the files named as a list say.

    Args:
        stem: path of the list without its ending.
        inside: the members of the input by lower-case name.
    """
    run = Run()
    run.fields["acquisition_id"] = stem.rpartition("/")[2]
    context = _settings(_text(run, inside.get(f"{stem}.ctx".lower()), "settings of the run"))
    summary = _pairs(
        _text(run, inside.get(f"{stem}_summary.csv".lower()), "summary of the run"), ","
    )
    report = _pairs(
        _text(run, inside.get(f"{stem}_run_summary.txt".lower()), "summary of the run"), ":"
    )
    _put_volume(run, summary, report, context)
    _put_settings(run, context, report)
    if (table := inside.get(f"{stem}.csv".lower())) is not None:
        _put_measures(run, table)
    if (classes := inside.get(f"{stem}.cla".lower())) is not None:
        _put_classes(run, classes)
    return run


def _text(run: Run, member: Member | None, what: str) -> str:
    if member is None:
        return ""
    try:
        text = member.read().decode("cp1252", "replace")
    except MediaError as reason:
        run.items.append(Item(member.name, error=f"{member.name}: {reason}. Copy it again."))
        return ""
    run.items.append(Item(member.name, skip_reason=f"{what}: read"))
    return text


def _settings(text: str) -> dict[str, str]:
    """Returns the values of a .ctx file by name in lower case; the names are unique over its sections."""
    return _pairs(text, "=")


def _pairs(text: str, mark: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, between, value = line.partition(mark)
        if between and value.strip():
            found.setdefault(key.strip().lower(), value.strip())
    return found


def _put_volume(
    run: Run, summary: Mapping[str, str], report: Mapping[str, str], context: Mapping[str, str]
) -> None:
    candidates = (
        summary.get("sample volume imaged ml", ""),
        report.get("fluid volume imaged", ""),
        context.get("fluidvolumeimaged_ml", ""),
    )
    for written in candidates:
        found = _AMOUNT.match(written)
        ml = parse_number(found.group(1)) if found else None
        if ml and BOUNDS["sampled_volume_l"][0] <= ml / 1000 <= BOUNDS["sampled_volume_l"][1]:
            run.fields["sampled_volume_l"] = repr(ml / 1000)
            return


def _put_settings(run: Run, context: Mapping[str, str], report: Mapping[str, str]) -> None:
    magnification = context.get("cameramagnification", "") or report.get("magnification", "")
    kept = {
        "site": context.get("locationname", ""),
        "extra:magnification": magnification.upper().removesuffix("X"),
        "extra:technician": context.get("technicianname", ""),
        "extra:software": context.get("softwareversion", ""),
        "extra:sample_dilution": context.get("sampledilution", ""),
    }
    run.fields |= {column: present(text) for column, text in kept.items() if present(text)}
    latitude = parse_degrees(context.get("locationlatitude", ""))
    longitude = parse_degrees(context.get("locationlongitude", ""))
    if latitude is None or longitude is None:
        return
    places = {"latitude_deg": latitude, "longitude_deg": longitude}
    if all(BOUNDS[name][0] <= degrees <= BOUNDS[name][1] for name, degrees in places.items()):
        run.fields |= {name: repr(degrees) for name, degrees in places.items()}
        run.fields["extra:place_from"] = "sample"


def _put_measures(run: Run, member: Member) -> None:
    try:
        table = open_table(member)
        lower = {name.strip().lower(): name for name in table.header}
        key = next((lower[name] for name in _ID_COLUMNS if name in lower), None)
        if key is None:
            raise SourceError(
                f"{member.name}, line 1: no column 'Particle ID'. Export the particles with all columns."
            )
        kept = [(name, lower[name.lower()]) for name in MEASURES if name.lower() in lower]
        label = next((lower[name] for name in LABEL_COLUMNS if name in lower), None)
        kept += [("class", label)] if label else []
        for row in table.rows:
            if row.error:
                raise SourceError(f"{member.name}, line {row.line}: {row.error}. Export it again.")
            found = {name: present(row.values[column]) for name, column in kept}
            run.measured[row.values[key].strip().removesuffix(".0")] = found
    except SourceError as reason:
        run.items.append(Item(member.name, error=str(reason)))
        return
    said = f"measurements of {len(run.measured)} particles: read"
    run.items.append(Item(member.name, skip_reason=said))


def _put_classes(run: Run, member: Member) -> None:
    try:
        run.classes = parse_classes(member.name, member.read().decode("cp1252", "replace"))
    except (SourceError, MediaError) as reason:
        run.items.append(Item(member.name, error=str(reason)))
        return
    said = f"classes of {len(run.classes.classes)} particles: read"
    if run.classes.twice:
        said += f"; {len(run.classes.twice)} are in two classes, the first is kept"
    run.items.append(Item(member.name, skip_reason=said))
