"""What is known before the picture is seen, from the user's tables: checklists, ranges, seasons, abundance.

Format: docs/formats/priors.md. Probabilities of labels are multiplied by likelihood ratios and made to
add up to 1 again (Bayes). No ratio is below a floor, so nothing is ever ruled out.
Legend: B records, L labels.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from holotype.decisions.priors_fit import conditions, distinct_contexts, fits
from holotype.decisions.priors_names import Found, NamedTaxon, NameFinder
from holotype.decisions.priors_rows import PriorTable, read_prior_table
from holotype.decisions.priors_statements import Statement, boxes_of, named, statements_of
from holotype.errors import SourceError
from holotype.files import sha256_file
from holotype.models.labels import LabelSpace
from holotype.taxonomy.backbone.store import Backbone

FLOOR = 0.01
"""The lowest weight of a table: about how often a checklist lacks what is there."""
KEPT_PATTERNS = 256
TOLD = 3
LEAST_CHANGE = 0.02
"""Changes of a probability from here on are told, the largest first."""


def posterior(
    probability_BL: NDArray[np.floating], weight_BL: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Returns probabilities after Bayes: their product with the weights, rows adding up to what they did.

    >>> posterior(np.array([[0.6, 0.4]]), np.array([[0.1, 1.0]])).round(3).tolist()
    [[0.13, 0.87]]
    """
    before_BL = np.asarray(probability_BL, dtype=np.float64)
    product_BL = before_BL * weight_BL
    total_B1, sum_B1 = product_BL.sum(axis=1, keepdims=True), before_BL.sum(axis=1, keepdims=True)
    after_BL: NDArray[np.float64] = product_BL * sum_B1 / np.where(total_B1 > 0, total_B1, 1.0)
    return after_BL


class Priors:
    """The tables of a user, read against the labels of a model; ``weights`` is a function of its arguments.

    Attributes:
        labels: what is weighed.
        tables: the files.
        names: what became of each name of the tables.
        floor: the lowest weight.
    """

    def __init__(
        self,
        tables: Sequence[PriorTable],
        labels: LabelSpace,
        *,
        floor: float = FLOOR,
        backbone: Backbone | None = None,
    ) -> None:
        if not 0 < floor <= 1:
            raise SourceError(
                f"floor {floor:g}: it must be above 0, at most 1, so nothing is ruled out."
            )
        finder = NameFinder(labels, backbone)
        self.labels, self.tables, self.floor = labels, tuple(tables), floor
        self.names: tuple[tuple[str, int, NamedTaxon], ...] = tuple(
            (table.name, row.line, named(row, finder)) for table in tables for row in table.rows
        )
        self._scopes: tuple[tuple[str, int, NamedTaxon], ...] = tuple(
            (table.name, row.line, finder.find(row.scope))
            for table in tables for row in table.rows if row.scope
        )  # fmt: skip
        self._statements: list[Statement] = [
            one for table in tables for one in statements_of(table, labels, finder, floor=floor)
        ]
        self._boxes = boxes_of(tables)
        self._known: OrderedDict[bytes, NDArray[np.float64]] = OrderedDict()

    @classmethod
    def read(
        cls,
        paths: Sequence[Path | str],
        labels: LabelSpace,
        *,
        floor: float = FLOOR,
        backbone: Backbone | None = None,
    ) -> "Priors":
        """Returns the priors of some tables.

        Args:
            paths: CSV, TSV or Parquet.
            labels: what is weighed.
            floor: the lowest weight, above 0.
            backbone: where names that the model lacks are looked up as synonyms.

        Raises:
            SourceError: names file and lines of what cannot be read or contradicts itself, of a scope that
                the model does not know; or no name of any table is known.
        """
        found = cls(
            [read_prior_table(Path(p)) for p in paths], labels, floor=floor, backbone=backbone
        )
        for name, line, scope in found._scopes:
            if scope.found in (Found.NOTHING, Found.AMBIGUOUS):
                raise SourceError(f"{name}: line {line}: scope '{scope.written}' {_missed(scope)}.")
        if found.tables and not found._statements:
            raise SourceError(
                f"{', '.join(t.name for t in found.tables)}: no name in it is one of the model's "
                f"{len(labels):,} labels or the taxa above them. Check the column 'taxon'."
            )
        return found

    def weights(self, context: pa.Table) -> NDArray[np.float64]:
        """Returns the likelihood ratio of each label for each record, float64 (B, L), floor to 1 / floor.

        1 wherever the tables say nothing of it: an unknown place, depth or date, a taxon outside of them.

        Args:
            context: a row for each record; of its columns ``latitude_deg``, ``longitude_deg``,
                ``depth_min_m``, ``depth_max_m``, ``collected_on``, ``country``, ``site`` and ``region`` are
                read, those that it has.
        """
        contexts, which_B = distinct_contexts(context)
        fits_ = [fits(contexts, one.settings, self._boxes) for one in self._statements]
        rows = [self._pattern([fit[u] for fit in fits_]) for u in range(len(contexts.month_U))]
        if not rows:
            return np.ones((len(which_B), len(self.labels)))
        return np.stack(rows)[which_B]

    def effects(
        self,
        context: pa.Table,
        before_BL: NDArray[np.float64],
        after_BL: NDArray[np.float64],
    ) -> list[str]:
        """Returns for each record in words what the priors changed, and by which table.

        Args:
            context: as for ``weights``.
            before_BL: probabilities without priors.
            after_BL: with them.
        """
        contexts, which_B = distinct_contexts(context)
        fits_ = [fits(contexts, one.settings, self._boxes) for one in self._statements]
        held = [
            [conditions(contexts, setting, self._boxes) for setting in one.settings]
            for one in self._statements
        ]

        @cache
        def weighed(at: int, u: int) -> NDArray[np.float64]:
            return self._statements[at].weigh(fits_[at][u])

        def why(u: int, label: int) -> list[str]:
            reasons = []
            for at, one in enumerate(self._statements):
                if weighed(at, u)[label] < 1:
                    here = [
                        {name: fit[u : u + 1] for name, fit in each.items()} for each in held[at]
                    ]
                    reasons.append(one.why(label, fits_[at][u], here))
            return reasons

        found = []
        for b, u in enumerate(which_B.tolist()):
            if (self._pattern([fit[u] for fit in fits_]) == 1).all():
                found.append(NOTHING_SAID)
            else:
                names = self.labels.names
                found.append(told_effect(before_BL[b], after_BL[b], names, partial(why, u)))
        return found

    def summary(self) -> dict[str, Any]:
        """Returns what was read, for a report: files with hashes, rows, and every name that was not found."""
        missed = [
            {"table": table, "line": line, "taxon": name.written, "why": _missed(name)}
            for table, line, name in self.names
            if name.found in (Found.NOTHING, Found.AMBIGUOUS)
        ]
        return {
            "floor": self.floor,
            "tables": [
                {
                    "path": table.name, "sha256": sha256_file(Path(table.name)), "says": table.says.value,
                    "rows": len(table.rows), "repeated_rows": table.repeated,
                }
                for table in self.tables
            ],
            "names": {
                one.value: sum(name.found is one for _, _, name in self.names) for one in Found
            },
            "not_found": missed,
        }  # fmt: skip

    def _pattern(self, fit_S: list[NDArray[np.int8]]) -> NDArray[np.float64]:
        """Returns the weights where settings fit so; the last patterns are kept, most records share one."""
        key = b"|".join(one.tobytes() for one in fit_S)
        if key not in self._known:
            weight_L = np.ones(len(self.labels))
            for one, fit in zip(self._statements, fit_S, strict=True):
                weight_L = weight_L * one.weigh(fit)
            self._known[key] = np.clip(weight_L, self.floor, 1 / self.floor)
            if len(self._known) > KEPT_PATTERNS:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]


NOTHING_SAID = "the tables weigh no label at this place, depth and date"


def told_effect(
    before_L: NDArray[np.float64],
    after_L: NDArray[np.float64],
    names: Sequence[str],
    why: Callable[[int], list[str]],
) -> str:
    """Returns in words how probabilities changed: whether the best label did, then the largest changes.

    Args:
        before_L: probabilities of one record without priors.
        after_L: with them.
        names: of the labels.
        why: a label -> the reasons for a weight below 1, a list of texts.
    """
    best, now = int(before_L.argmax()), int(after_L.argmax())
    head = "best label unchanged" if best == now else f"{names[now]} instead of {names[best]}"
    change_L = np.abs(after_L - before_L)
    order = np.argsort(-change_L, kind="stable")[:TOLD].tolist()
    parts = [head]
    for label in (one for one in order if change_L[one] >= LEAST_CHANGE):
        reasons = "; ".join(why(label)) if after_L[label] < before_L[label] else ""
        text = f"{names[label]} {before_L[label]:.2f} -> {after_L[label]:.2f}"
        parts.append(f"{text}: {reasons}" if reasons else text)
    return "; ".join(parts)


def _missed(name: NamedTaxon) -> str:
    if name.found is Found.AMBIGUOUS:
        return f"may be {name.detail}"
    return f"is no taxon or label of the model. {name.detail}".rstrip(". ")
