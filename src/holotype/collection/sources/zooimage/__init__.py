"""ZooImage: ``.zid`` files (vignettes and ``_dat1.zim`` tables), alone or in a folder with its ``.zis``.

Source of the format: Grosjean & Denis, ZooImage (https://www.sciviews.org/zooimage).
"""

from holotype.collection.sources.item import Source
from holotype.collection.sources.zooimage.reading import read

SOURCE = Source(
    "zooimage", "ZooImage .zid files or folders of them, with their .zis description", read
)
