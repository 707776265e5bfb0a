"""What sources write about rights -> SPDX ids, and what may be done with a mixture of them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.catalogue.licence_table import TERMS
from holotype.catalogue.licences import (
    GBIF_ACCEPTS,
    Answer,
    Standing,
    Use,
    allows,
    common_licence,
    licence_filter,
    may,
    parse_licence,
)
from holotype.errors import SourceError

WRITTEN = {
    "CC-BY-4.0": [
        "CC-BY-4.0", "CC BY 4.0", "cc-by-4.0", "CC_BY_4_0", "CC BY 4", "CC-BY4.0", "CC BY v4.0",
        "http://creativecommons.org/licenses/by/4.0/", "by 4.0",
        "https://creativecommons.org/licenses/by/4.0/legalcode",
        "http://creativecommons.org/licenses/by/4.0/deed.fr",
        "Creative Commons Attribution 4.0 International",
        "Creative Commons Attribution 4.0 International (CC BY 4.0)",
        "Attribution 4.0 International (CC BY 4.0)", "© A. Smith, CC BY 4.0",
        "This work is licensed under a Creative Commons Attribution (CC-BY) 4.0 License.",
    ],
    "CC-BY-NC-4.0": [
        "http://creativecommons.org/licenses/by-nc/4.0/", "CC_BY_NC_4_0", "CC BY-NC 4.0",
        "by-nc 4.0", "Creative Commons Attribution-NonCommercial 4.0 International",
        "creative commons attribution non-commercial 4.0",
    ],
    "CC-BY-NC-SA-3.0": ["CC BY-NC-SA 3.0 Unported", "CC BY-SA-NC 3.0", "ccbyncsa 3.0"],
    "CC-BY-NC-ND-4.0": ["Creative Commons Attribution-NonCommercial-NoDerivatives 4.0 International"],
    "CC-BY-SA-2.1-JP": ["https://creativecommons.org/licenses/by-sa/2.1/jp/"],
    "CC-BY-3.0-IGO": ["CC BY 3.0 IGO", "https://creativecommons.org/licenses/by/3.0/igo/"],
    "LicenseRef-CC-BY-3.0-FR": ["https://creativecommons.org/licenses/by/3.0/fr/"],
    "CC0-1.0": [
        "CC0", "cc0-1.0", "CC0_1_0", "CC0 1.0", "Creative Commons Zero v1.0 Universal", "CC-Zero",
        "https://creativecommons.org/publicdomain/zero/1.0/legalcode", "No Rights Reserved (nrr)",
    ],
    "CC-PDM-1.0": ["Public Domain Mark", "http://creativecommons.org/publicdomain/mark/1.0/"],
    "MIT": ["mit", "MIT License"],
    "Apache-2.0": ["apache-2.0", "Apache License, Version 2.0"],
    "ODbL-1.0": ["odbl"],
    "LicenseRef-InC-1.0": ["http://rightsstatements.org/vocab/InC/1.0/"],
    "LicenseRef-All-Rights-Reserved": [
        "All rights reserved", "© 2020 B. Miller. All Rights Reserved.", "Copyright",
    ],
    "LicenseRef-Public-Domain": ["Public domain", "public_domain"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("written", "expected"),
    [(text, spdx) for spdx, texts in WRITTEN.items() for text in texts],
)
def test_what_is_written_is_read(written, expected):
    assert parse_licence(written).id == expected
    assert parse_licence(f"  {written.upper()} ").id == expected or "©" in written


@pytest.mark.parametrize(
    "text", ["cc-by-nc", "CC BY-NC", "CreativeCommons - Attribution Non-Commercial"]
)
def test_a_version_is_never_filled_in(text):
    found = parse_licence(text)
    assert (found.id, found.version, found.standing) == ("CC-BY-NC", None, "unversioned")
    assert str(found) == "CC-BY-NC (version not stated)"
    assert found.id not in GBIF_ACCEPTS
    assert found.url is None


@pytest.mark.parametrize(
    "text", [None, "", "  ", "unknown", "None", "n/a", "not choosen", "UNSPECIFIED"]
)
def test_nothing_stated_is_not_the_same_as_not_understood(text):
    assert parse_licence(text).standing is Standing.NOT_STATED


@pytest.mark.parametrize(
    "text",
    [
        "other", "see website", "free for non-commercial research", "CC BY 4.0 or CC BY-NC 4.0",
        "CC BY 3.0 and CC BY 4.0", "CC BY 4.0 except figures", "CC BY 9.0", "CC BY-ND-SA 4.0",
        "All rights reserved, or CC BY 4.0", "submitted by hand", "MIT, data CC BY 4.0",
        "unless noted, CC0", "some rights reserved",
    ],
)  # fmt: skip
def test_what_is_unclear_is_not_guessed(text):
    found = parse_licence(text)
    assert (found.id, found.terms, found.standing) == (None, None, Standing.UNRECOGNISED)
    assert found.written == text


@given(st.text(max_size=60))
def test_any_text_is_answered(text):
    found = parse_licence(text)
    assert (found.id is None) == (found.standing in {Standing.NOT_STATED, Standing.UNRECOGNISED})
    assert found.family is None or found.family in TERMS


@given(st.sampled_from([text for texts in WRITTEN.values() for text in texts]))
def test_an_id_that_was_read_is_read_back(text):
    found = parse_licence(text)
    if not found.id.startswith("LicenseRef-"):
        assert parse_licence(found.id).id == found.id
    if found.url and "creativecommons" in found.url:
        assert parse_licence(found.url).id == found.id


def uses(*texts):
    licences = [parse_licence(text) for text in texts]
    return tuple(may(licences, use).answer.value for use in Use)


def test_the_most_restrictive_licence_decides():
    assert uses("CC BY 4.0", "CC0") == ("yes", "yes", "yes")
    assert uses("CC BY 4.0", "CC0", "CC BY-NC 4.0") == ("yes", "yes", "no")
    assert uses("CC BY-NC-ND 4.0", "CC0") == ("yes", "no", "no")
    assert uses("All rights reserved", "CC0") == ("no", "no", "no")


def test_what_is_unknown_blocks_and_says_so():
    assert uses("CC0", "other") == ("unknown", "unknown", "unknown")
    assert uses("CC0", None) == ("unknown", "unknown", "unknown")
    assert uses("other", "CC BY-ND 4.0") == ("unknown", "no", "no")
    verdict = may([parse_licence("other"), parse_licence("CC0")], Use.ADAPT)
    assert verdict.blocked_by == ("'other'",)
    assert "ask the source" in verdict.reasons[0]


def test_a_licence_of_programs_opens_no_images():
    assert uses("MIT") == ("unknown", "unknown", "unknown")
    assert not parse_licence("MIT").is_open
    assert "licence of programs" in may([parse_licence("MIT")], Use.SHARE).reasons[0]


def test_share_alike_licences_that_differ_cannot_be_joined():
    # The mixture that Planktonzilla has: 17 % non-commercial, 11 % share-alike.
    assert uses("CC BY-SA 4.0", "CC BY-NC 4.0") == ("yes", "no", "no")
    assert uses("CC BY-SA 4.0", "CC BY-NC-SA 4.0") == ("yes", "no", "no")
    assert uses("CC BY-SA 3.0", "CC BY-SA 4.0", "CC BY 4.0") == ("yes", "yes", "yes")
    assert uses("CC BY-NC-SA 4.0", "CC BY-NC 4.0") == ("yes", "yes", "no")
    verdict = may([parse_licence("CC BY-SA 4.0"), parse_licence("CC BY-NC 4.0")], Use.ADAPT)
    assert verdict.reasons == ("CC-BY-SA-4.0: asks for the same licence, against CC-BY-NC-4.0.",)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["CC0", "Public Domain Mark"], "CC0-1.0"),
        (["CC0", "CC BY 3.0"], "CC-BY-4.0"),
        (["CC BY", "CC BY-NC 3.0"], "CC-BY-NC-4.0"),
        (["CC BY-SA 3.0", "CC BY-SA 4.0", "CC0"], "CC-BY-SA-4.0"),
        (["CC BY-SA 4.0", "CC BY-NC 4.0"], None),
        (["CC BY-ND 4.0"], None),
        (["CC0", "other"], None),
        ([], None),
    ],
)
def test_the_freest_licence_for_the_whole(texts, expected):
    found = common_licence(parse_licence(text) for text in texts)
    assert (found and found.id) == expected


ALL = [parse_licence(text) for texts in WRITTEN.values() for text in texts[:1]] + [
    parse_licence("other"), parse_licence(None), parse_licence("CC BY")
]  # fmt: skip


@pytest.mark.parametrize("use", Use)
def test_more_licences_never_allow_more(use):
    order = [Answer.NO, Answer.UNKNOWN, Answer.YES]
    for first, second in itertools.product(ALL, ALL):
        alone, both = may([first], use), may([first, second], use)
        assert order.index(both.answer) <= order.index(alone.answer)
        assert both == may([second, first, first], use)


@pytest.mark.parametrize(
    ("pattern", "passing"),
    [
        ("CC-BY-4.0", {"CC-BY-4.0"}),
        ("cc by 4.0", {"CC-BY-4.0"}),
        ("CC-BY", {"CC-BY-4.0", "CC-BY-3.0-IGO", "LicenseRef-CC-BY-3.0-FR", "CC-BY"}),
        ("CC-BY*", {"CC-BY-4.0", "CC-BY-3.0-IGO", "LicenseRef-CC-BY-3.0-FR", "CC-BY"}),
        ("cc-by-nc-*", {"CC-BY-NC-4.0"}),
        ("gbif", {"CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0"}),
        ("not-stated", {None}),
        ("MIT", {"MIT"}),
    ],
)
def test_patterns(pattern, passing):
    found = {licence.id for licence in ALL if allows([pattern], licence)}
    assert found == passing


def test_groups():
    is_open, non_commercial = licence_filter(["open"]), licence_filter(["non-commercial"])
    opened = {licence.id for licence in ALL if is_open(licence)}
    assert opened == {
        "CC-BY-4.0", "CC-BY-SA-2.1-JP", "CC-BY-3.0-IGO", "LicenseRef-CC-BY-3.0-FR", "CC0-1.0",
        "CC-PDM-1.0", "ODbL-1.0", "LicenseRef-Public-Domain", "CC-BY",
    }  # fmt: skip
    assert {licence.id for licence in ALL if non_commercial(licence)} == opened | {
        "CC-BY-NC-4.0", "CC-BY-NC-SA-3.0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "told"),
    [("opne", "Did you mean 'open'"), ("CC*", "no such licence"), ("zzz", "no such licence")],
)
def test_wrong_patterns_are_told(pattern, told):
    with pytest.raises(SourceError, match=told):
        licence_filter([pattern])
