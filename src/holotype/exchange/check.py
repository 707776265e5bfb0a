"""The command ``check-archive``: one question of what is to be sent to EcoTaxa, or to OBIS and GBIF."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from holotype.exchange.darwin_core.check import check_darwin_core
from holotype.exchange.ecotaxa.check import check_ecotaxa
from holotype.media.members import members

DARWIN_CORE, ECOTAXA = "Darwin Core Archive", "EcoTaxa import"
EXAMPLES = 100


@dataclass(frozen=True)
class ArchiveReport:
    """What a check found.

    Attributes:
        path: what was checked.
        form: what it was taken for.
        errors: how many faults would stop it, or drop a record.
        warnings: how many others.
        rows: rows by file, of a Darwin Core Archive.
        kinds: how many faults of each kind.
        examples: (severity, sentence) of the first faults.
    """

    path: str
    form: str
    errors: int
    warnings: int
    rows: Mapping[str, int]
    kinds: Mapping[str, int]
    examples: tuple[tuple[str, str], ...]


def check_archive(path: Path | str) -> ArchiveReport:
    """Returns what is wrong with a Darwin Core Archive, or with tables for EcoTaxa.

    It is taken for EcoTaxa's where it holds no ``meta.xml`` and a file whose name starts with ``ecotaxa``.

    Raises:
        SourceError: when there is nothing at the path, or it cannot be opened.
    """
    names = {posixpath.basename(member.name) for member in members(Path(path))}
    if "meta.xml" not in names and any(name.lower().startswith("ecotaxa") for name in names):
        said = check_ecotaxa(path)
        examples = tuple(("error", sentence) for sentence in said[:EXAMPLES])
        return ArchiveReport(str(path), ECOTAXA, len(said), 0, {}, {}, examples)
    found = check_darwin_core(path)
    return ArchiveReport(
        path=str(path),
        form=DARWIN_CORE,
        errors=sum(found.errors.values()),
        warnings=sum(found.warnings.values()),
        rows=found.rows,
        kinds={**found.errors, **{f"{kind} (warning)": n for kind, n in found.warnings.items()}},
        examples=tuple((one.severity.value, one.said) for one in found.examples),
    )
