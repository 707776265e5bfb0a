"""The model card that lies in every run folder (Mitchell et al. 2019, doi:10.1145/3287560.3287596)."""

from typing import Any

from holotype.models.labels import LabelSpace
from holotype.training.provenance import uses_lines
from holotype.training.recipe import Recipe


def model_card(recipe: Recipe, labels: LabelSpace, training: dict[str, Any]) -> str:
    """Returns the card as Markdown: what the model is, what it saw, what it must not be used for."""
    counts = sorted((label.records for label in labels.labels), reverse=True)
    rare = sum(count < 10 for count in counts)
    told = "None of them has a name."
    if counts:
        told = (
            f"Records a label: {counts[0]:,} at most, {counts[-1]:,} at least; {rare} labels have fewer "
            "than 10."
        )
    modalities = [
        name
        for name, part in (
            ("images", recipe.model.images),
            ("DNA barcodes", recipe.model.barcodes),
            ("captions", recipe.model.captions),
        )
        if part is not None
    ]
    last = training["history"][-1] if training["history"] else {}
    figures = [f"| {k} | {v:.4f} |" for k, v in last.items() if isinstance(v, float)]
    lines = [
        f"# {recipe.name}",
        "",
        recipe.about.strip() or "A Holotype model.",
        "",
        "## What it is",
        "",
        (
            f"Reads {', '.join(modalities)}; scores {len(labels)} labels ({recipe.target.value}). "
            "`bundle.json` says everything that is needed to use it; `recipe.toml` trains it again."
        ),
        "",
        "## What it learnt from",
        "",
        (
            f"{training['records']:,} records of collection `{training['collection']['name']}` "
            f"({training['collection']['fingerprint']}); {training['validation_records']:,} more for "
            f"validation. {told}"
        ),
        "",
        f"- sources: {_listed(training['sources'])}",
        f"- instruments: {_listed(training['instruments'])}",
        f"- licences, as the sources state them: {_listed(training['licences'])}",
        "",
        "## What may be done with it",
        "",
        "By the licences of the records; a reading of licences, not legal advice:",
        "",
        *uses_lines(training["may"]),
        "",
        (
            "`ATTRIBUTION.md` says whom to credit; `training-records.parquet` holds the hashes of all "
            "records, by which `holotype trained-on` answers whether an image or barcode was among them."
        ),
        "",
        "## Last epoch",
        "",
        "| figure | value |",
        "| --- | --- |",
        *figures,
        "",
        (
            "These are validation figures of the training run. Evidence with intervals and baselines comes "
            "from `holotype evaluate` on the test part."
        ),
        "",
        "## Limits",
        "",
        (
            "It knows no label but its own and always gives one of them. On an instrument, a region or a "
            "life stage it has not seen, its scores are not to be trusted before they are measured there."
        ),
    ]
    return "\n".join(lines) + "\n"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in counts.items()) or "not stated"
