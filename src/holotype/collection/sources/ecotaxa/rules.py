"""What must agree between the rows of an EcoTaxa import; memory grows with the ids only."""

from dataclasses import dataclass, field

from holotype.collection.reading.fields import RowFields

_STATUS, _CATEGORY = "object_annotation_status", "object_annotation_category"


@dataclass
class Rules:
    """The ids of the rows read so far.

    Attributes:
        seen: hash of (object, image) -> (number of the table, line).
        objects: hashes of the object ids seen.
        samples_of: acquisition -> (sample, where it was written).
        names_of: EcoTaxa id -> (category, where it was written).
        tables: names of the tables, by number.
    """

    seen: dict[int, tuple[int, int]] = field(default_factory=dict)
    objects: set[int] = field(default_factory=set)
    samples_of: dict[str, tuple[str, str]] = field(default_factory=dict)
    names_of: dict[str, tuple[str, str]] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)

    def repeats(self, object_id: str, image: str, line: int) -> str | None:
        """Returns where the same object and image stood before, or None and remembers them."""
        here = (len(self.tables) - 1, line)
        before = self.seen.setdefault(hash((object_id, image)), here)
        return None if before == here else f"{self.tables[before[0]]}, line {before[1]}"

    def item_name(self, object_id: str, image: str) -> str:
        """Returns the object's id for its first image, and id and image for the others."""
        first = hash(object_id) not in self.objects
        self.objects.add(hash(object_id))
        return object_id if first else f"{object_id} {image or 'without image'}"

    def check(self, fields: RowFields) -> None:
        """Adds notes where the row contradicts an earlier one or its label is half written."""
        _check_label(fields)
        sample, acquisition = (
            fields.fields.get("sample_id", ""),
            fields.fields.get("acquisition_id"),
        )
        if acquisition:
            known, where = self.samples_of.setdefault(acquisition, (sample, fields.where))
            if known != sample:
                said = f"acquisition '{acquisition}' belongs to sample '{known}' in {where}"
                _add(
                    fields, "hierarchy", "sample_id", sample, said, "name another acq_id or mend it"
                )
        name, number = fields.fields.get("written_label"), fields.fields.get("ecotaxa_id")
        if name and number:
            known, where = self.names_of.setdefault(number, (name, fields.where))
            if known != name:
                said = f"category {number} is called '{known}' in {where}"
                _add(fields, "category", _CATEGORY, name, said, "see which of name and id is right")


def _check_label(fields: RowFields) -> None:
    label = fields.fields.get("written_label") or fields.fields.get("ecotaxa_id") or ""
    status = (fields.values.get(_STATUS) or "").strip()
    if label and not status:
        said = f"no status though there is a category ('{label}')"
        _add(fields, "status", _STATUS, "", said, "write validated, predicted or dubious")
    elif status and not label:
        said = f"no category though the status is '{status}'"
        _add(fields, "label", _CATEGORY, "", said, "write the category, or leave out the status")


def _add(fields: RowFields, code: str, column: str, found: str, said: str, remedy: str) -> None:
    fields.notes.append((code, f"{fields.where}, column {column}: '{found}': {said}; {remedy}"))
