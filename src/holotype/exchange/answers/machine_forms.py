"""The formats of other classifiers, camera traps and barcode tools, as the table of formats takes them."""

from pathlib import Path

from holotype.errors import SourceError
from holotype.exchange.answers.boldigger import write_boldigger
from holotype.exchange.answers.camtrap_dp import write_camtrap_dp
from holotype.exchange.answers.ifcb import write_ifcb
from holotype.exchange.answers.megadetector import write_megadetector
from holotype.exchange.answers.pybioclip import write_pybioclip
from holotype.exchange.answers.qiime import write_qiime, write_rdp
from holotype.exchange.answers.sintax import write_sintax
from holotype.exchange.answers.speciesnet import write_speciesnet
from holotype.exchange.answers.syke import write_syke
from holotype.exchange.answers.writing import Form


def _file(out: Path) -> Path:
    if out.is_dir():
        raise SourceError(f"{out}: a folder, and this format is one file. Name a new file.")
    return out


MACHINE_FORMS: dict[str, Form] = {
    "ifcb": Form(
        "Class scores of IFCB bins (h5, version 3), a file a bin",
        lambda answers, request: write_ifcb(
            answers, request.out, scores=request.beside.scores, thresholds=request.beside.thresholds
        ),
        frozenset({"scores", "thresholds"}),
    ),
    "syke": Form(
        "Probabilities of IFCB bins as SYKE has them (CSV), a file a bin",
        lambda answers, request: write_syke(
            answers, request.out, scores=request.beside.scores, thresholds=request.beside.thresholds
        ),
        frozenset({"scores", "thresholds"}),
    ),
    "speciesnet": Form(
        "Predictions of SpeciesNet (JSON)",
        lambda answers, request: write_speciesnet(
            answers, _file(request.out), lineages=request.beside.lineages
        ),
        frozenset({"model"}),
    ),
    "megadetector": Form(
        "Batch results of MegaDetector (JSON 1.6), for Timelapse",
        lambda answers, request: write_megadetector(
            answers,
            _file(request.out),
            lineages=request.beside.lineages,
            classified_at=request.dated,
        ),
        frozenset({"model", "dated"}),
    ),
    "camtrap-dp": Form(
        "Camtrap DP 1.0: observations, in a package of their own or for that of --dataset",
        lambda answers, request: write_camtrap_dp(
            answers, request.out, classified_at=request.dated, package=request.dataset
        ),
        frozenset({"dataset", "dated"}),
    ),
    "sintax": Form(
        "SINTAX lines, as vsearch writes them",
        lambda answers, request: write_sintax(answers, _file(request.out)),
    ),
    "qiime": Form(
        "Taxonomy of QIIME 2 (TSV)",
        lambda answers, request: write_qiime(answers, _file(request.out)),
    ),
    "rdp": Form(
        "Names, ranks and confidences as the RDP classifier writes them",
        lambda answers, request: write_rdp(answers, _file(request.out)),
    ),
    "boldigger": Form(
        "A table like that of BOLDigger3 (CSV or Parquet)",
        lambda answers, request: write_boldigger(
            answers, _file(request.out), lineages=request.beside.lineages
        ),
        frozenset({"model"}),
    ),
    "pybioclip": Form(
        "The CSV of pybioclip: the best names of each picture at a rank",
        lambda answers, request: write_pybioclip(
            answers,
            _file(request.out),
            rank=request.beside.rank,
            k=request.beside.k,
            scores=request.beside.scores,
            lineages=request.beside.lineages,
        ),
        frozenset({"rank", "k", "scores", "model"}),
    ),
}
"""Name of a format -> its writer."""
