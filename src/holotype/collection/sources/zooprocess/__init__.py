"""ZooProcess: ``<scan>_dat1.pid`` tables of scans with their vignettes, plain or in class folders.

Sources of the format: Gorsky et al. 2010, doi:10.1093/plankt/fbp124, and ZooProcess's own conversion to
EcoTaxa (Picheral, https://github.com/picheral/Zooprocess, macro Zooprocess_pid_to_ecotaxa_zooscan).
"""

from holotype.collection.sources.item import Source
from holotype.collection.sources.zooprocess.reading import read

SOURCE = Source("zooprocess", "ZooProcess _dat1.pid tables (ZooScan) with their vignettes", read)
