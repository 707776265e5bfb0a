"""Events of an archive whose core is Event: what an occurrence takes over from its event and those above."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holotype.collection.reading.fields import filled
from holotype.collection.reading.joined import Joined
from holotype.collection.reading.tabular import present
from holotype.collection.sources.darwin_core.measurements import measured_fields

EVENT, USED = "event", "event used"
_OWN = frozenset({
    "eventID", "parentEventID", "eventType", "sampleSizeValue", "sampleSizeUnit", "eventRemarks",
    "fieldNumber", "id", "type", "modified",
})  # fmt: skip
_CRUISES = frozenset({"cruise", "campaign", "project", "expedition"})
_OWN_MEASURED = ("sampled_volume_l",)
_KEPT = 50_000


@dataclass(frozen=True)
class Event:
    """One event with what it inherits.

    Attributes:
        values: text by term; blank terms are filled from the events above, except what is the event's own.
        fields: columns that measurements and the events above give.
        notes: what is odd about it.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[tuple[str, str], ...] = ()


class Events:
    """Finds events by id, each put together once."""

    def __init__(self, joined: Joined, measurement_tables: list[str], called: str) -> None:
        """Takes the joined tables: ``event``, and those of measurements."""
        self._joined, self._tables, self._called = joined, measurement_tables, called
        self._known: dict[str, Event | None] = {}

    def find(self, event_id: str) -> Event | None:
        """Returns an event, or None where no row has the id."""
        if len(self._known) > _KEPT:
            self._known.clear()
        return self._find(event_id, ())

    def _find(self, event_id: str, below: tuple[str, ...]) -> Event | None:
        if event_id in self._known:
            return self._known[event_id]
        rows = self._joined.rows(EVENT, event_id)
        found = None
        if rows:
            self._joined.claim(event_id, rows[0].line, kind=USED)
            found = self._event(event_id, rows[0].line, rows[0].values, below)
        if not below or event_id not in below:
            self._known[event_id] = found
        return found

    def _event(
        self, event_id: str, line: int, own: Mapping[str, str], below: tuple[str, ...]
    ) -> Event:
        parent_id = present(own.get("parentEventID", ""))
        above: Event | None = None
        notes: tuple[tuple[str, str], ...] = ()
        where = f"{self._called}, line {line}, column parentEventID: '{parent_id}'"
        if parent_id in {event_id, *below}:
            notes = (
                (
                    "event",
                    f"{where} leads back to the event itself: nothing taken over; correct it",
                ),
            )
        elif parent_id:
            above = self._find(parent_id, (*below, event_id))
            if above is None:
                notes = (
                    ("event", f"{where} is the id of no event: nothing taken over; correct it"),
                )
        above = above or Event()
        values = {name: text for name, text in above.values.items() if name not in _OWN}
        values |= filled(own)
        measured = [row for table in self._tables for row in self._joined.rows(table, event_id)]
        inherited = {name: text for name, text in above.fields.items() if name not in _OWN_MEASURED}
        fields = {**inherited, **measured_fields(measured)}
        if present(own.get("eventType", "")).lower() in _CRUISES:
            fields["cruise"] = event_id
        return Event(values, fields, (*above.notes, *notes))
