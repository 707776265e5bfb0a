"""What a check of an archive found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

EXAMPLES = 5


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """OBIS or GBIF cannot read it, or drops the record."""
    WARNING = "warning"
    """They take it, and something that should be there is not."""


@dataclass(frozen=True)
class Finding:
    """One fault.

    Attributes:
        code: of its kind, for counting.
        severity: how bad it is.
        said: file, line, column, what was found, what to do.
    """

    code: str
    severity: Severity
    said: str


@dataclass(frozen=True)
class Findings:
    """What a check found.

    Attributes:
        path: the archive.
        rows: rows by file.
        errors: how many errors, by kind.
        warnings: how many warnings, by kind.
        examples: the first few of each kind, errors first.
    """

    path: str
    rows: Mapping[str, int]
    errors: Mapping[str, int]
    warnings: Mapping[str, int]
    examples: tuple[Finding, ...]

    @property
    def is_valid(self) -> bool:
        """Whether there is no error."""
        return not self.errors


@dataclass
class Notebook:
    """Findings on their way: all counted, the first few of each kind kept."""

    rows: dict[str, int] = field(default_factory=dict)
    counts: dict[tuple[Severity, str], int] = field(default_factory=dict)
    kept: list[Finding] = field(default_factory=list)

    def error(self, code: str, said: str) -> None:
        """Writes down an error."""
        self._add(code, Severity.ERROR, said)

    def warn(self, code: str, said: str) -> None:
        """Writes down a warning."""
        self._add(code, Severity.WARNING, said)

    def _add(self, code: str, severity: Severity, said: str) -> None:
        count = self.counts.get((severity, code), 0) + 1
        self.counts[severity, code] = count
        if count <= EXAMPLES:
            self.kept.append(Finding(code, severity, said))

    def findings(self, path: str) -> Findings:
        """Returns what was written down."""
        of = {
            severity: {code: n for (s, code), n in self.counts.items() if s is severity}
            for severity in Severity
        }
        order = sorted(self.kept, key=lambda one: one.severity is Severity.WARNING)
        return Findings(path, self.rows, of[Severity.ERROR], of[Severity.WARNING], tuple(order))
