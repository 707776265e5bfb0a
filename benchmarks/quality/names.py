"""Names, leave one source out: can the labels of a source be named by a backbone of the other fourteen?

For each source of planktonzilla_taxonomy.csv in turn, a backbone is made of the taxa in the rows of the
others, that source's raw labels are matched without its lineage columns, and the answers are compared.
Run: python benchmarks/quality/names.py
"""

import csv
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine import real_data, write_results

from holotype.taxonomy.backbone.build import write_rows
from holotype.taxonomy.backbone.lineages import read_lineages, rows_of_lineages
from holotype.taxonomy.backbone.store import Backbone, open_backbone
from holotype.taxonomy.label_table import LabelTable, read_label_table
from holotype.taxonomy.labels import Kind
from holotype.taxonomy.lineage import Lineage, Rank
from holotype.taxonomy.matching.match import BackboneMatcher, match_all
from holotype.taxonomy.matching.outcome import How, MatchStatus, NameMatch, Query
from holotype.taxonomy.matching.settle import same_line
from holotype.taxonomy.matching.vocabulary import taxa_of
from holotype.taxonomy.names import label_words, name_key

HOMONYMS = {
    "ctenophora": "Animalia",
    "cladocera": "Animalia Arthropoda",
    "siphonophora": "Animalia Cnidaria",
    "microstella": "Animalia Arthropoda",
}
"""Labels that the table gives to a namesake elsewhere in the tree: what plankton people mean by them."""

REASONS = {
    "table: homonym": "the table gives a namesake in another part of the tree",
    "table: narrower than the label": "the label names, to the letter, a wider taxon of the table's lineage",
    "table: contradicts itself": "the answer is what the table gives to the same label in another source",
    "label names no taxon": "no word of it names a taxon: only whoever sorted it knows",
    "name not in the backbone": "a name that no other source has; the table gives a wider taxon",
    "two classifications": "one group under two names or ranks in the table's sources",
    "synonym": "the label's genus is itself a taxon of the backbone; the table gives the accepted one",
    "left for review": "ambiguous: several taxa, or a name beside it that the backbone lacks",
    "ours wider": "the answer lies above the table's taxon",
    "ours narrower": "the answer lies below the table's taxon",
    "other": "the answer is on another branch",
}


@dataclass(frozen=True)
class Judged:
    """One living label: what the table says, what came out, and why they differ, "" where they do not."""

    source: str
    label: str
    expected: Lineage
    answer: NameMatch
    is_covered: bool
    reason: str
    wrong_branch: bool


def main() -> None:
    """Judges every source, writes figures and all disagreements."""
    path = real_data() / "taxonomy/planktonzilla_taxonomy.csv"
    table = read_label_table(path)
    judged: list[Judged] = []
    homonyms: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for source in sorted(table.sources):
            judged += judge(source, table, path, Path(scratch), homonyms)
    content = {
        "sources": [row(name, judged) for name in sorted(table.sources)],
        "all": row("all", judged),
    }
    content["disagreements"] = [entry(one) for one in judged if one.reason]
    content["homonyms"] = homonyms
    write_results("names", content, page(content))


def judge(
    source: str, table: LabelTable, path: Path, scratch: Path, homonyms: list[dict[str, str]]
) -> list[Judged]:
    """Returns the living labels of one source, matched against the others' taxa."""
    raw, problems = rows_of_lineages(read_lineages(path, leave_out=frozenset((source,))))
    place = scratch / f"{source}.parquet"
    write_rows(
        raw,
        problems,
        kind="lineages",
        out=place,
        sha256="",
        snapshot=f"without {source}",
        name="table",
    )
    backbone = open_backbone(place)
    labels = {label: concept for (name, label), concept in table.concepts.items() if name == source}
    answers = match_all(
        [Query(label, source=source) for label in labels], [BackboneMatcher(backbone)]
    )
    homonyms += [one for answer in answers if (one := homonym(answer, backbone))]
    taxa = {(r["rank"], r["name"]) for r in backbone.columns.select(["rank", "name"]).to_pylist()}
    return [
        compared(source, answer, table, taxa, backbone)
        for answer in answers
        if labels[answer.query.written].kind is Kind.LIVING and labels[answer.query.written].lineage
    ]


def homonym(answer: NameMatch, backbone: Backbone) -> dict[str, str]:
    """Returns what became of a label with a word that names taxa of several phyla, {} for any other."""
    for segment in label_words(answer.query.written).segments:
        for word in segment:
            taxa = taxa_of(name_key(word), backbone)
            if (
                len(
                    {
                        (t.lineage.name_at(Rank.KINGDOM), t.lineage.name_at(Rank.PHYLUM))
                        for t in taxa
                    }
                )
                > 1
            ):
                status = answer.taxon.label if answer.taxon else answer.status.value
                return {
                    "source": answer.query.source,
                    "label": answer.query.written,
                    "answer": status,
                }
    return {}


def compared(
    source: str,
    answer: NameMatch,
    table: LabelTable,
    taxa: set[tuple[str, str]],
    backbone: Backbone,
) -> Judged:
    """Returns how an answer stands to the table."""
    expected = table.concepts[source, answer.query.written].lineage
    same = answer.taxon is not None and (answer.taxon.rank, answer.taxon.name) == (
        expected.rank,
        expected.name,
    )
    wrong = answer.taxon is not None and any(
        (here := answer.taxon.lineage.name_at(rank))
        and (there := expected.name_at(rank))
        and here != there
        for rank in (Rank.KINGDOM, Rank.PHYLUM)
    )
    covered = (str(expected.rank), str(expected.name)) in taxa
    elsewhere = {
        concept.lineage.name
        for (other, label), concept in table.concepts.items()
        if other != source and name_key(label) == name_key(answer.query.written)
    }
    reason = "" if same else why(answer, expected, backbone)
    ours = answer.taxon.name if answer.taxon else None
    if (
        reason
        and not reason.startswith("table:")
        and ours in elsewhere
        and answer.status is not MatchStatus.AMBIGUOUS
    ):
        reason = "table: contradicts itself"
    return Judged(source, answer.query.written, expected, answer, covered, reason, wrong)


def why(answer: NameMatch, expected: Lineage, backbone: Backbone) -> str:
    """Returns the class of a disagreement, a key of ``REASONS``."""
    words = {
        name_key(word) for segment in label_words(answer.query.written).segments for word in segment
    }
    for word, meant in HOMONYMS.items():
        if word in words and not expected.text().startswith(meant):
            return "table: homonym"
    wider = {name_key(name) for _, name in expected.taxa[:-1]}
    narrowest = name_key(str(expected.name))
    named = name_key(answer.taxon.name) if answer.taxon and answer.how is not How.HIGHER else ""
    if named in words & wider and not narrower_word(words, expected) and narrowest not in words:
        return "table: narrower than the label"
    if answer.status is MatchStatus.NO_MATCH:
        return (
            "label names no taxon"
            if "names no taxon" in answer.reason
            else "name not in the backbone"
        )
    if answer.taxon is None:
        return "left for review"
    told = [backbone.accepted_taxon(row) for row in backbone.rows_of(narrowest)]
    if name_key(answer.taxon.name) in {"neoceratium", "ceratium"}:
        return "synonym"
    if (answer.taxon.name, expected.name) in {
        ("Tintinnida", "Choreotrichida"),
        ("Insecta", "Hexapoda"),
    }:
        return "two classifications"
    if any(taxon is not None and same_line(taxon, answer.taxon) for taxon in told):
        depth = answer.taxon.rank.depth if answer.taxon.rank else 0
        return "ours wider" if expected.rank and depth < expected.rank.depth else "ours narrower"
    return "ours wider" if answer.taxon.name in dict(expected.taxa).values() else "other"


def narrower_word(words: set[str], expected: Lineage) -> bool:
    """Returns whether a word of the label is the epithet of the table's species."""
    return expected.rank is Rank.SPECIES and name_key(str(expected.name)).split(" ")[-1] in words


def row(source: str, judged: list[Judged]) -> dict[str, Any]:
    """Returns the figures of one source, or of all."""
    living = [one for one in judged if source in ("all", one.source)]
    covered = [one for one in living if one.is_covered]
    fair = [one for one in covered if not one.reason.startswith("table:")]
    named = [one for one in fair if one.reason != "label names no taxon"]
    return {
        "source": source, "living": len(living), "covered": len(covered),
        "same": share(covered, [one for one in covered if not one.reason]),
        "same_without_table_faults": share(fair, [one for one in fair if not one.reason]),
        "same_where_a_word_names_a_taxon": share(named, [one for one in named if not one.reason]),
        "right_branch": share(covered, [one for one in covered if not one.wrong_branch]),
        "counts": {"covered": len(covered), "without table faults": len(fair), "and named": len(named)},
        "reasons": dict(sorted(Counter(one.reason for one in covered if one.reason).items())),
        "statuses": dict(sorted(Counter(one.answer.status.value for one in living).items())),
        "wrong_branch_uncovered": sum(one.wrong_branch for one in living if not one.is_covered),
    }  # fmt: skip


def share(of: list[Judged], those: list[Judged]) -> float | None:
    """Returns a part as a share, None of nothing."""
    return len(those) / len(of) if of else None


def entry(one: Judged) -> dict[str, Any]:
    """Returns a disagreement as it is written."""
    taxon = one.answer.taxon
    return {
        "source": one.source, "label": one.label, "covered": one.is_covered, "reason": one.reason,
        "table": f"{one.expected.name} ({one.expected.rank})",
        "ours": taxon.label if taxon else one.answer.status.value,
        "how": one.answer.how.value if one.answer.how else "", "in_words": one.answer.reason,
    }  # fmt: skip


def page(content: dict[str, Any]) -> list[str]:
    """Returns the page: figures, reasons, every disagreement."""
    whole = content["all"]
    waiting = sum(one["answer"] == "ambiguous" for one in content["homonyms"])
    guessed = (
        "none was guessed" if waiting == len(content["homonyms"]) else "the others were decided"
    )
    lines = [
        "# Names, leave one source out",
        "",
        "Living labels of `planktonzilla_taxonomy.csv` whose taxon the other fourteen sources cover,",
        "matched against a backbone of those fourteen without any hint.",
        "",
        f"- **{percent(whole['same'])}** of {whole['covered']} reach the same narrowest taxon as the table.",
        f"- **{percent(whole['same_without_table_faults'])}** of {whole['counts']['without table faults']}",
        "  where rows are set aside in which the table itself goes wrong: it gives a namesake elsewhere in",
        "  the tree, a taxon narrower than what the label names to the letter, or to one label",
        "  another taxon than in another source (where ours is that one).",
        f"- **{percent(whole['same_where_a_word_names_a_taxon'])}** of {whole['counts']['and named']}",
        "  where also labels are set aside of which no word names a taxon (`side`, `polar_view`).",
        f"- **{percent(whole['right_branch'])}** are in no other kingdom or phylum than the table says.",
        f"- {len(content['homonyms'])} labels have a word that names taxa of several phyla:",
        f"  {waiting} wait for review with all candidates, {guessed}.",
        "",
        "| source | living | covered | same taxon | table's faults aside | right kingdom and phylum |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    for part in [*content["sources"], whole]:
        figures = [
            percent(part[key]) for key in ("same", "same_without_table_faults", "right_branch")
        ]
        lines.append(
            f"| {part['source']} | {part['living']} | {part['covered']} | {' | '.join(figures)} |"
        )
    lines += ["", "| reason | labels | meaning |", "| --- | --: | --- |"]
    lines += [f"| {name} | {count} | {REASONS[name]} |" for name, count in whole["reasons"].items()]
    for covered, title in (
        (True, "Every disagreement"),
        (False, "Labels whose taxon no other source has"),
    ):
        lines += [
            "",
            f"## {title}",
            "",
            "| source | label | table | ours | how | reason |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for one in content["disagreements"]:
            if one["covered"] is covered:
                cells = [
                    str(one[key]).replace("|", "\\|")
                    for key in ("source", "label", "table", "ours", "how", "reason")
                ]
                lines.append(f"| {' | '.join(cells)} |")
    return lines


def percent(value: float | None) -> str:
    """Returns a share in per cent, "-" for none."""
    return "-" if value is None else f"{100 * value:.1f} %"


if __name__ == "__main__":
    with (real_data() / "taxonomy/planktonzilla_taxonomy.csv").open(newline="") as check:
        assert len(list(csv.DictReader(check))) == 1485
    main()
