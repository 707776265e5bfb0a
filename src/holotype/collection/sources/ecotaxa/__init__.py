"""EcoTaxa: import folders and zips, UVP6 ``*Images.zip``, and every export with one row an image or object.

Source of the format: EcoTaxa's import and export (Picheral, Colin & Irisson 2017, https://ecotaxa.obs-vlfr.fr).
Tables are tab-separated files named ``ecotaxa*.tsv`` or ``ecotaxa*.txt`` with columns ``<prefix>_<field>``;
images lie beside them. Rows that EcoTaxa would refuse though they can be used are kept, with a note.
"""

from holotype.collection.sources.ecotaxa.reading import read
from holotype.collection.sources.item import Source

SOURCE = Source(
    "ecotaxa", "EcoTaxa import folders and zips, UVP6 Images.zip, and EcoTaxa exports", read
)
