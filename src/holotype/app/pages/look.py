"""Light or dark: what the machine says, or what a person chose, kept from page to page."""

from enum import StrEnum

from nicegui import app, ui


class Look(StrEnum):
    """How pages look."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


_VALUES: dict[Look, bool | None] = {Look.AUTO: None, Look.LIGHT: False, Look.DARK: True}
_ICONS = {Look.AUTO: "contrast", Look.LIGHT: "light_mode", Look.DARK: "dark_mode"}
_NEXT = {Look.AUTO: Look.LIGHT, Look.LIGHT: Look.DARK, Look.DARK: Look.AUTO}


def chosen_look() -> Look:
    """Returns the look that this person chose."""
    said = app.storage.user.get("look")
    return Look(said) if said in set(Look) else Look.AUTO


def look_switch() -> None:
    """Draws the button that goes from one look to the next, and puts the present one on."""
    mode = ui.dark_mode(_VALUES[chosen_look()])
    button = (
        ui.button(icon=_ICONS[chosen_look()]).props("flat round dense color=none").classes("look")
    )

    def told() -> None:
        now = chosen_look()
        button.set_icon(_ICONS[now])
        button.props(f'aria-label="Look: {now}. Change it."')

    def turn() -> None:
        app.storage.user["look"] = _NEXT[chosen_look()].value
        mode.value = _VALUES[chosen_look()]
        told()

    button.on_click(turn)
    told()
