"""The formats that answers can be published in: one table."""

from holotype.exchange.answers.machine_forms import MACHINE_FORMS
from holotype.exchange.answers.writing import Form
from holotype.exchange.darwin_core.writer import write_archive
from holotype.exchange.ecotaxa.writer import write_import, write_update

_ECOTAXA = frozenset({"labels", "dated"})
FORMS: dict[str, Form] = {
    "ecotaxa": Form("EcoTaxa import: tables with the images beside them", write_import, _ECOTAXA),
    "ecotaxa-update": Form(
        "EcoTaxa update: categories of objects that it has", write_update, _ECOTAXA
    ),
    "darwin-core": Form(
        "Darwin Core Archive of events, for OBIS and GBIF",
        write_archive,
        frozenset({"counts", "dataset", "labels", "backbone", "each", "dated"}),
    ),
    **MACHINE_FORMS,
}
"""Name of a format -> its writer."""
