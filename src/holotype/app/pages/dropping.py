"""Where files are dropped or chosen: one for all pages."""

from nicegui import events, ui

from holotype.app.settings import ServeSettings

_HEAD = (
    '<div class="drop-head"><label><span>Drop files here</span><q-uploader-add-trigger /></label>'
    '<q-btn outline no-caps color="primary" label="Choose files" @click="props.pickFiles" /></div>'
)
"""Quasar's own head has an input inside its button, and neither has a name."""


def drop_place(
    settings: ServeSettings,
    *,
    begun: events.Handler[events.UiEventArguments],
    received: events.Handler[events.UploadEventArguments],
) -> ui.upload:
    """Returns a place that takes as many files as the server does; they come as soon as they are chosen.

    Args:
        settings: of the server.
        begun: called before the first of some files comes.
        received: called for each file.
    """
    place = ui.upload(
        multiple=True,
        auto_upload=True,
        max_total_size=settings.max_upload_bytes,
        max_files=settings.max_files,
        on_begin_upload=begun,
        on_upload=received,
        on_rejected=lambda: ui.notify(
            "More or larger files than this server takes.", type="negative"
        ),
    )
    place.props("flat bordered").classes("drop").add_slot("header", _HEAD)
    return place
