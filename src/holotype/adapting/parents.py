"""The model that is adapted: a bundle, the starter, or a published CLIP model in open_clip's layout."""

from pathlib import Path

from holotype import files
from holotype.errors import RecipeError
from holotype.models.aligned import AlignedModel, ClassifierSettings, ModelSettings
from holotype.models.bundle import Bundle, open_bundle
from holotype.models.labels import LabelSpace, Target
from holotype.models.places import is_bundle
from holotype.models.pretrained.checkpoints import read_json
from holotype.models.pretrained.open_clip_towers import CONFIGURATION
from holotype.models.pretrained.places import (
    PUBLISHED,
    beside,
    place_of,
    repository_of,
    weights_in,
)
from holotype.models.pretrained.preprocessing import open_clip_pixels
from holotype.models.pretrained.published import published_model
from holotype.models.settings import ImageSettings, Projection


def open_parent(model: Path | str) -> Bundle:
    """Returns the model to adapt; a published one is a bundle without labels.

    Args:
        model: a bundle, ``starter``, ``published:NAME``, ``hf-hub:ORG/NAME``, or a folder that holds
            ``open_clip_config.json`` beside its weights.

    Raises:
        BundleError: when it is no bundle, or one that cannot be opened.
        RecipeError: when a published model is not on this machine, or is of another layout.
    """
    name = str(model)
    is_published = repository_of(name) is not None or (Path(name) / CONFIGURATION).is_file()
    if is_bundle(model) or not is_published:
        return open_bundle(model, is_plain=True)
    place = place_of(name, key="model")
    described = beside(place, CONFIGURATION)
    if described is None:
        raise RecipeError(
            f"model '{name}': no {CONFIGURATION} beside its weights, so it is no CLIP model of open_clip. "
            "Train with a recipe that names its tower instead."
        )
    config = read_json(described)
    pixels = open_clip_pixels(config, source=str(described))
    if pixels.preparation is None:
        raise RecipeError(
            f"{described}: images are made ready in a way of its own ({pixels.told})."
        )
    settings = ModelSettings(
        images=ImageSettings(
            tower="open_clip",
            weights=name,
            side_px=pixels.side_px,
            channels=3,
            preparation=pixels.preparation,
            mean=pixels.mean,
            std=pixels.std,
        ),
        embedding_dim=int(config["model_cfg"]["embed_dim"]),
        projection=Projection.NONE,
        classifier=ClassifierSettings(),
    )
    training = {"recipe": {"name": name, "about": "Published weights."}, "licence": _licence(name)}
    manifest = {"weights_sha256": files.sha256_file(weights_in(place)), "training": training}
    nothing = LabelSpace(Target.WRITTEN_LABEL, ())
    model_ = AlignedModel(settings, num_labels=1)
    return Bundle(place, model_.eval(), nothing, {}, manifest)


def _licence(name: str) -> str | None:
    """Returns the licence of published weights, None where nothing is known of it."""
    if not name.startswith(PUBLISHED):
        return None
    return published_model(name.removeprefix(PUBLISHED)).licence
