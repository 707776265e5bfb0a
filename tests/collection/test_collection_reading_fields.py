"""Written values: whole numbers, the country NA, dates of which only the year or month is known."""

import pytest

from holotype.collection.reading.fields import (
    RowFields,
    filled,
    parse_clock,
    parse_date,
    parse_degrees,
    parse_number,
    whole_number,
)

NO_NUMBERS = ["²", "1²", "٣", "9" * 19, "9" * 5000, "-1", "1.0", " 1", ""]


@pytest.mark.parametrize("written", NO_NUMBERS)
def test_no_whole_number(written):
    assert whole_number(written) is None


def test_whole_numbers_and_their_bound():
    assert whole_number("0") == 0
    assert whole_number("9" * 18) == 10**18 - 1
    assert (whole_number("255", most=255), whole_number("256", most=255)) == (255, None)


@pytest.mark.parametrize("written", ["²", "12²", "9" * 5000, "²²²²-01-01", "2020-01-0²"])
@pytest.mark.parametrize("parse", [parse_clock, parse_date])
def test_odd_digits_are_no_date_and_no_time(parse, written):
    assert parse(written) is None


@pytest.mark.parametrize("written", ["9" * 5000 + "°1 N", "²", "1²°3 N"])
def test_odd_digits_are_no_position_and_no_number(written):
    assert parse_degrees(written) is None
    assert parse_number(written) is None


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ({"countryCode": "NA"}, "NA"),
        ({"countryCode": "NA", "country": "Namibia"}, "NA"),
        ({"countryCode": "NA", "country": "NA"}, None),
        ({"countryCode": "N/A"}, None),
        ({"countryCode": "na"}, None),
        ({"order": "NA"}, None),
    ],
)
def test_the_country_na_is_kept(values, kept):
    column = next(iter(values))
    assert filled(values).get(column) == kept
    row = RowFields("t, line 2", values)
    assert row.written(column) == (kept or "")
    row = RowFields("t, line 2", values)
    row.keep_extra()
    assert row.fields.get(f"extra:{column}") == kept


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2020", "2020"),
        ("2020-07", "2020-07"),
        ("2020-07-03", "2020-07-03T08:30:00"),
        ("2020-13", None),
        ("0420", None),
    ],
)
def test_a_year_or_month_is_kept_without_a_time(day, expected):
    row = RowFields("t, line 2", {"d": day, "t": "08:30"})
    row.moment("collected_on", "d", "t")
    assert row.fields.get("collected_on") == expected
    assert bool(row.notes) == (expected is None)
