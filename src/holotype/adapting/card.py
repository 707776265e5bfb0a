"""The card of an adapted model."""

from pathlib import Path
from typing import Any

from holotype import files
from holotype.adapting.sureness import MAX_ERROR, Sureness
from holotype.models.labels import LabelSpace
from holotype.training.provenance import uses_lines

HOW = {
    "prototypes": "the nearest mean embedding of a label's images (SimpleShot); the tower is its parent's.",
    "probe": "a logistic regression on the embeddings of its parent, whose tower it keeps.",
    "lora": "training a low-rank change of its parent's attention (LoRA), and a head that began as a probe.",
    "full": "training all of its parent on, from a probe as head.",
}
"""What each method does, in a sentence."""


def adapted_card(name: str, training: dict[str, Any], labels: LabelSpace) -> str:
    """Returns the card as Markdown: where it comes from, what it learnt, how good it is, its limits."""
    counts = sorted(label.records for label in labels.labels)
    parent, found = training["parent"], training["examined"]
    lines = [
        f"# {name}",
        "",
        f"Reads images and names {len(labels):,} labels. Made by `holotype adapt`: {HOW[training['method']]}",
        "",
        "## Where it comes from",
        "",
        _parent(parent),
        (
            f"- own images: {training['records']:,}; {counts[0]:,} to {counts[-1]:,} a label, "
            f"{counts[len(counts) // 2]:,} of the middle one"
        ),
        "",
        "## How good it is",
        "",
        *_figures(found, full=training["method"] in {"lora", "full"}),
        "",
        "## What may be done with it",
        "",
        "By the licences of its own records and of its parent's; a reading of licences, not legal advice:",
        "",
        *uses_lines(training["may"]),
        "",
        "`ATTRIBUTION.md` says whom to credit.",
        "",
        "## Limits",
        "",
        (
            "It knows no label but its own and always gives one of them. The figures hold for images like "
            "those it was examined on: another instrument, place or season has to be measured there."
        ),
    ]
    return "\n".join(lines) + "\n"


def sureness_told(sure: Sureness) -> str:
    """Returns in a sentence what an adapted model promises, or why it promises nothing."""
    if sure.reason is not None:
        return (
            f"No error rate can be promised: {sure.reason}. {sure.images:,} images could be held out. "
            "Label more, and adapt again."
        )
    return (
        f"At --max-error {MAX_ERROR:g} it gives a safe answer to {sure.answered:,} of {sure.tested:,} "
        f"held-out images, {sure.wrong:,} of them wrong."
    )


def tell_sureness(folder: Path, sure: Sureness) -> None:
    """Adds to the card of a bundle what it promises."""
    card = folder / "README.md"
    told = (
        f"{sureness_told(sure)} A promise is for images drawn as the labelled ones were, of labels that it "
        "knows: with other shares of labels, or of labels that it does not know, more may be wrong."
    )
    text = card.read_text(encoding="utf-8")
    files.write_text(card, f"{text}\n## How sure it may be\n\n{told}\n")


def _parent(parent: dict[str, Any]) -> str:
    taught = f", trained on {parent['records']:,} records" if parent["records"] else ""
    terms = f"; licence of its weights: {parent['licence']}" if parent.get("licence") else ""
    return f"- parent: {parent['name']} ({parent['fingerprint']}){taught}{terms}"


def _figures(found: dict[str, Any], *, full: bool) -> list[str]:
    if found["accuracy"] is None:
        images = f"{found['images']} images could be examined, and fewer than 30 say nothing"
        return [f"Not known: {images}. Label more, and adapt again."]
    how = (
        "on a fifth of the images, which training left alone"
        if full
        else "by five-fold cross-validation; the model itself learnt from all images"
    )
    rows = {
        "accuracy": "accuracy",
        "mean over labels": "macro_accuracy",
        "accuracy of the parent": "accuracy_before",
    }
    told = [
        f"| {title} | {found[key]['value']:.3f} | {found[key]['low']:.3f} to {found[key]['high']:.3f} |"
        for title, key in rows.items()
        if found[key] is not None
    ]
    return [
        f"On {found['images']:,} images, {how}:",
        "",
        "| figure | value | 95 % interval |",
        "| --- | --: | --- |",
        *told,
    ]
