"""What the readers of the package find of an artefact, in full; None where it is not whole by their word."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from faults_states import contents, tree_of


def digest(*parts: Any) -> str:
    """Returns a hash of anything that prints in full."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def unless_ours(read: Callable[[], Any]) -> Any:
    """Returns what is read; None where the package says that nothing whole is there."""
    from holotype.errors import HolotypeError

    try:
        return read()
    except HolotypeError:
        return None


def collection_of(place: Path) -> Any:
    """Records, images and ledger of a collection."""
    import pyarrow.parquet as pq

    from holotype.collection.store import open_collection

    def read() -> Any:
        opened = open_collection(place)
        images = [(name, content) for name, content in opened.images()]
        ledgers = [
            pq.read_table(place / one["ledger"]["path"]).to_pylist()
            for one in opened.manifest["imports"]
        ]
        return len(opened), digest(opened.columns().to_pylist(), images, ledgers, opened.manifest)

    return unless_ours(read)


def split_of(path: Path) -> Any:
    """Records and roles of a split."""
    from holotype.splits.plan import read_split

    def read() -> Any:
        found = read_split(path)
        return digest(list(found.record_id), list(found.role_N))

    return unless_ours(read)


def bundle_of(place: Path) -> Any:
    """Labels, weights and manifest of a bundle."""
    import torch

    from holotype.models.bundle import open_bundle

    def read() -> Any:
        opened = open_bundle(place)
        weights = {
            n: t.tolist() for n, t in opened.model.state_dict().items() if torch.is_tensor(t)
        }
        return opened.fingerprint, digest(opened.labels.as_json(), weights, opened.manifest)

    return unless_ours(read)


def decisions_of(place: Path) -> Any:
    """The decisions of a bundle, and whether it can still be opened."""
    from holotype.decisions.store import MANIFEST, decisions_folder, open_decisions
    from holotype.models.bundle import open_bundle

    path = decisions_folder(place) / MANIFEST
    bundle = bundle_of(place)
    assert bundle is not None, "calibrating costs the model"
    if not path.is_file():
        return None

    def read() -> Any:
        found = open_decisions(open_bundle(place))
        assert found is not None
        rows = found.references.columns(["record_id"]).to_pylist()
        return bundle, digest(path.read_text(encoding="utf-8"), rows)

    return read()


def decided_bundle_of(place: Path) -> Any:
    """A bundle with its decisions, None where there is no bundle; a model without them is half of it."""
    if bundle_of(place) is None:
        return None
    found = decisions_of(place)
    assert found is not None, "a model without its decisions"
    return found


def index_of(place: Path) -> Any:
    """Records and vectors of an index."""
    from holotype.index.records import RECORDS_SCHEMA
    from holotype.index.store import open_index

    def read() -> Any:
        opened = open_index(place)
        rows = opened.columns(RECORDS_SCHEMA.names).to_pylist()
        vectors = {m: (v.z_VD.tobytes(), v.row_V.tobytes()) for m, v in opened.vectors.items()}
        return len(opened), digest(rows, vectors)

    return unless_ours(read)


def session_of(place: Path) -> Any:
    """The records of a session and its log."""
    from holotype.reviewing.review import Review

    def read() -> Any:
        opened = Review.open(place)
        return digest(opened.session.record_ids, len(opened.state.events))

    return unless_ours(read)


def backbone_of(path: Path) -> Any:
    """The names of a backbone, and where they are from, but for the day on which it was made."""
    from holotype.taxonomy.backbone.store import open_backbone

    if not path.is_file():
        return None
    found = open_backbone(path)
    origin = {key: value for key, value in found.origin.items() if key != "made_on"}
    return digest(found.columns.to_pylist(), origin)


def json_of(name: str, place: Path) -> Any:
    """A JSON file that says what was made."""
    path = place / name
    if not path.is_file():
        return None
    return digest(json.loads(path.read_text(encoding="utf-8")))


def whole_at(path: Path) -> Any:
    """The bytes of a file or folder that other programs read: it is whole where it has its name."""
    if path.is_dir():
        found = contents(tree_of(path))
        return digest([one for one in found.items() if not one[0].endswith(".part")])
    return digest(path.read_bytes()) if path.is_file() else None
