"""Large JSON read in pieces gives what reading it whole gives, wherever the pieces are cut."""

import io
import json

import pytest

from holotype.collection.reading import json_elements as reading
from holotype.collection.reading.json_elements import json_elements
from holotype.errors import SourceError

CONTENT = {
    "info": {"version": 1.25e-3, "text": 'a "quoted", \\ é word'},
    "images": [{"id": -1500.0, "at": [1, 2.5, -3e7]}, {"id": "x"}, 12.5, None, True, []],
    "empty": [],
    "count": -1500.75,
}


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 7, 11, 64, 1000])
def test_every_cut_gives_the_same(monkeypatch, piece):
    monkeypatch.setattr(reading, "CHUNK_CHARS", piece)
    stream = io.BytesIO(json.dumps(CONTENT, indent=1, ensure_ascii=False).encode())
    found = {}
    for element in json_elements(stream, "a.json"):
        if element.listed:
            found.setdefault(element.key, []).append(element.value)
        else:
            found[element.key] = element.value
    assert found == {key: value for key, value in CONTENT.items() if value != []}


@pytest.mark.parametrize("piece", [1, 4, 1000])
@pytest.mark.parametrize(
    ("text", "line"),
    [('{\n"a": [1,\n 2 3]}', 3), ('{"a": tru}', 1), ("[1]", 1), ('{"a": 1', 1), ('{"a": 12-}', 1)],
)
def test_faults_name_the_line(monkeypatch, piece, text, line):
    monkeypatch.setattr(reading, "CHUNK_CHARS", piece)
    with pytest.raises(SourceError, match=rf"a\.json, line {line}: "):
        list(json_elements(io.BytesIO(text.encode()), "a.json"))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("9" * 5000, "a number of thousands of digits"),
        ("[" * 100_000 + "]" * 100_000, "nested over 100 deep"),
        ("[" * 101 + "]" * 101, "nested over 100 deep"),
        ('{"x":' * 101 + "1" + "}" * 101, "nested over 100 deep"),
    ],
)
def test_values_that_would_break_the_reader_name_file_and_line(value, said):
    text = f'{{\n"images": [\n{{"id": 1}},\n{{"id": {value}}}]}}'
    elements = json_elements(io.BytesIO(text.encode()), "a.json")
    assert next(elements).value == {"id": 1}
    with pytest.raises(SourceError, match=rf"a\.json, line 4: .*{said}"):
        list(elements)


def test_what_is_as_deep_as_may_be_is_read():
    deepest = "[" * 99 + "]" * 99
    text = f'{{"a": [{{"id": {deepest}, "flat": {[[]] * 300}}}]}}'
    (element,) = json_elements(io.BytesIO(text.encode()), "a.json")
    assert len(element.value["flat"]) == 300


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_half_of_a_surrogate_pair_is_no_letter(monkeypatch, piece):
    monkeypatch.setattr(reading, "CHUNK_CHARS", piece)
    text = r'{"a": [{"\uD800k": ["x\udc00y", "\ud83d\ude00"]}], "b": "\ud800"}'
    found = [element.value for element in json_elements(io.BytesIO(text.encode()), "a.json")]
    assert found == [{"\ufffdk": ["x\ufffdy", "\U0001f600"]}, "\ufffd"]
