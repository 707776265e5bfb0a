"""The class and feature files of an input, by bin, and what they say of one region."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from holotype.collection.sources.ifcb.classes import read_class_file, read_thresholds
from holotype.collection.sources.ifcb.content import Automatic, ClassFile
from holotype.collection.sources.item import Item
from holotype.errors import SourceError
from holotype.media.capture_times import capture_time
from holotype.media.members import Member

_PREFERRED = (".h5", ".mat", ".prob.csv", ".csv")
_CLASS_FILE = re.compile(
    r"(?:_\d{5})?(\.mat|_class(_v\d)?\.(mat|h5|csv)|_class_scores.*\.h5|\.csv|\.prob\.csv|_(fea|features)(_v\d)?\.csv)$",
    re.IGNORECASE,
)


@dataclass
class BinLabels:
    """What the files of one bin say.

    Attributes:
        manual: label by region, given by a person; the regions nobody looked at have ``untouched``.
        untouched: the label of regions before a person looked, or "".
        automatic: by region, of one classifier.
        classifier: its name, or "".
        unsaid: label by region where the file does not say who gave it.
        features: measures by region.
        items: one for each file: that it was read, or what is wrong.
    """

    manual: Mapping[int, str] = field(default_factory=dict)
    untouched: str = ""
    automatic: Mapping[int, Automatic] = field(default_factory=dict)
    classifier: str = ""
    unsaid: Mapping[int, str] = field(default_factory=dict)
    features: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)

    def fields(self, number: int) -> dict[str, str]:
        """Returns the fields of a region that come from these files."""
        found = {f"extra:{name}": text for name, text in self.features.get(number, {}).items()}
        machine, person = self.automatic.get(number), self.manual.get(number)
        if person is not None:
            found["written_label"] = person
            if person != self.untouched:
                found["label_status"] = "validated"
            if machine is not None:
                found["extra:automatic_label"] = machine.label
                found["extra:automatic_score"] = machine.score
                found["extra:automatic_classifier"] = self.classifier
        elif machine is not None:
            found |= {"written_label": machine.label, "label_status": "predicted"}
            found |= {"labelled_by": self.classifier, "extra:label_score": machine.score}
        elif number in self.unsaid:
            found["written_label"] = self.unsaid[number]
        if machine is not None and machine.winner != machine.label:
            found["extra:automatic_winner"] = machine.winner
        return {column: text for column, text in found.items() if text}


class ClassFiles:
    """All class and feature files of an input, found by the bin in their names; each is read with its bin."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._by_bin: dict[str, list[Member]] = {}
        self._thresholds: dict[str, float] = {}
        self.items: list[Item] = []
        for member in members:
            bin_id = class_file_of(member.name)
            if bin_id is not None:
                self._by_bin.setdefault(bin_id, []).append(member)
            elif is_thresholds(member.name):
                self._read_thresholds(member)

    def __bool__(self) -> bool:
        return bool(self._by_bin)

    def _read_thresholds(self, member: Member) -> None:
        try:
            self._thresholds |= read_thresholds(member)
            self.items.append(Item(member.name, skip_reason="thresholds of a classifier: read"))
        except SourceError as reason:
            self.items.append(Item(member.name, error=str(reason)))

    def of_bin(self, bin_id: str, regions: int) -> BinLabels:
        """Returns what the files of a bin say of its ``regions`` regions; they are not asked for again."""
        labels = BinLabels()
        read: list[tuple[Member, ClassFile]] = []
        for member in sorted(self._by_bin.pop(bin_id, []), key=_preference):
            try:
                content = read_class_file(member, self._thresholds)
            except SourceError as reason:
                labels.items.append(Item(member.name, error=str(reason)))
                continue
            read.append((member, content))
        uses = [_taken(labels, content) for _, content in read]
        for (_, content), used in zip(read, uses, strict=True):
            _take_earlier(labels, content, used)
        for (member, content), used in zip(read, uses, strict=True):
            said = _in_words(content, used)
            beyond = sum(1 for number in content.regions if number > regions)
            if beyond:
                said += f"; {beyond} of its regions are not in the bin's {regions} lines"
            labels.items.append(Item(member.name, skip_reason=f"class file of {bin_id}: {said}"))
        return labels

    def left(self) -> Iterator[Item]:
        """Yields an item for each file whose bin did not come."""
        yield from self.items
        for bin_id, files in sorted(self._by_bin.items()):
            for member in files:
                if member.size:
                    reason = f"class file of {bin_id}, which is not in the input"
                    yield Item(member.name, skip_reason=reason)
                else:
                    wrong = f"{member.name}: empty (0 bytes). Copy it again, or remove it."
                    yield Item(member.name, error=wrong)


def class_file_of(name: str) -> str | None:
    """Returns the bin that a file is named as a class or feature file of, or None."""
    last = name.rpartition("/")[2]
    named = capture_time(last)
    if named is None or named.bin_id is None or named.roi_number is not None:
        return None
    return named.bin_id if _CLASS_FILE.fullmatch(last[len(named.bin_id) :]) else None


def is_thresholds(name: str) -> bool:
    """Returns whether a file is named as one of thresholds."""
    last = name.rpartition("/")[2].lower()
    return "threshold" in last and last.endswith((".txt", ".csv"))


def _preference(member: Member) -> tuple[int, str]:
    name = member.name.lower()
    return next(n for n, end in enumerate((*_PREFERRED, "")) if name.endswith(end)), member.name


def _taken(labels: BinLabels, content: ClassFile) -> set[str]:
    """Puts into the labels what no file before had; returns the parts of the file that were used."""
    used = set()
    if content.manual and not labels.manual:
        labels.manual, labels.untouched = content.manual, content.untouched
        used.add("manual")
    if content.automatic and not labels.automatic:
        labels.automatic, labels.classifier = content.automatic, content.classifier
        used.add("automatic")
    if content.unsaid and not labels.unsaid:
        labels.unsaid = content.unsaid
        used.add("unsaid")
    if content.features and not labels.features:
        labels.features = content.features
        used.add("features")
    return used


def _take_earlier(labels: BinLabels, content: ClassFile, used: set[str]) -> None:
    """Puts in the automatic labels of a manual file, which are older than those of any file of their own."""
    if content.earlier and not labels.automatic:
        labels.automatic = content.earlier
        used.add("earlier")


_PARTS = {
    "manual": "manual labels",
    "automatic": "automatic labels",
    "earlier": "automatic labels beside the manual ones",
    "unsaid": "labels",
    "features": "regions with measures",
}


def _in_words(content: ClassFile, used: set[str]) -> str:
    """Returns what was used of a file, and what was not."""
    counts = {part: len(getattr(content, part)) for part in _PARTS}
    taken = [f"{counts[part]} {words}" for part, words in _PARTS.items() if part in used]
    left = [
        f"{counts[part]} {words}"
        for part, words in _PARTS.items()
        if counts[part] and part not in used
    ]
    if left:
        taken.append(f"not used: {' and '.join(left)}, another file of the bin comes first")
    return "; ".join(taken) or "no label and no measure in it"
