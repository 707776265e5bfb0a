"""A written name -> its parts: the canonical name, who gave it and when, and how sure the writer was.

Pure text: nothing here knows which names exist. ``holotype.taxonomy.matching`` looks the parts up.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from holotype.taxonomy.labels import NOT_LIVING, QUALIFIERS

MAX_NAME_LETTERS = 200
"""What is longer is no name: the longest scientific names have some 60 letters."""

OPEN_NOMENCLATURE = frozenset(
    ("sp", "spp", "ssp", "subsp", "cf", "aff", "nr", "near", "var", "f", "forma", "fo", "form", "gen", "sect",
     "agg", "complex", "group", "indet", "nov", "n", "x", "inter")
)  # fmt: skip
"""Words of open nomenclature and of rank inside a name; they name no taxon (Sigovini et al. 2016)."""

NEGATIONS = frozenset(("not", "no", "non", "without", "except", "excluding", "excl", "sans"))
"""Words that deny what follows them in a label."""

JOINING = frozenset(("and", "or", "vs", "versus", "plus", "with"))
"""Words between two names of a label."""

_UNSEEN = re.compile(
    r"[\u0000-\u0008\u000b-\u001f\u007f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_SPACES = re.compile(r"[\s_]+")
_HYBRID = re.compile(r"(?:^|\s)[×\u2715](?=\s?\w)|(?<=\w) x (?=[a-z])|^x (?=[A-Z])")
_INTERIM = re.compile(r"[A-Z]{2,}|\d")
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_LATIN_GENUS = r"[A-ZÄËÏÖÜÆŒ][a-zäëïöüæœ]+(?:-[A-Za-z]?[a-zäëïöüæœ]+)?"
_LATIN_EPITHET = r"[a-zäëïöüæœ]{2,}(?:-[a-zäëïöüæœ]+)*"
_QUALIFYING = r"(?:cf|aff|nr|near|sp|spp|x|var|subsp|ssp|f|fo|forma)\b\.?|×|\?"
_SCIENTIFIC = re.compile(
    rf"^(?P<hybrid>[×x]\s)?(?P<genus>{_LATIN_GENUS})"
    rf"(?:\s\((?P<subgenus>{_LATIN_GENUS})\))?"
    rf"(?:\s(?P<sure1>{_QUALIFYING}))?"
    rf"(?:\s(?!(?:de|van|von|da|di|in|ex|et|and|du|der|den|la|le|f|auct|sensu|or|vs|versus|plus|with)\b)(?P<epithet>{_LATIN_EPITHET}))?"
    rf"(?:\s(?P<sure2>{_QUALIFYING}))?"
    rf"(?:\s(?!(?:de|van|von|da|di|in|ex|et|and|du|der|den|la|le|f|auct|sensu|or|vs|versus|plus|with)\b)(?P<infra>{_LATIN_EPITHET}))?"
    r"(?P<rest>.*)$"
)
_YEAR = re.compile(r"\b(1[5-9]\d\d|20\d\d)\b")


@dataclass(frozen=True)
class WrittenName:
    """A scientific name taken apart.

    Attributes:
        written: the text as it came.
        canonical: the name without authorship, subgenus and qualifiers: "Calanus finmarchicus".
        authorship: "(Gunnerus, 1770)" as written, "" where none is.
        year: of the authorship, or None.
        qualifier: "cf.", "aff.", "sp." as written, "" where the writer was sure.
        is_hybrid: whether it bears a hybrid mark.
    """

    written: str
    canonical: str
    authorship: str = ""
    year: int | None = None
    qualifier: str = ""
    is_hybrid: bool = False


def clean_text(written: str) -> str:
    """Returns a text in NFC, without invisible and direction marks, with single spaces."""
    return _SPACES.sub(" ", _UNSEEN.sub("", unicodedata.normalize("NFC", written))).strip(" '\"")


def read_name(written: str) -> WrittenName | None:
    """Returns the parts of a scientific name, or None for what is not written as one.

    >>> read_name("Calanus cf. finmarchicus (Gunnerus, 1770)").canonical
    'Calanus finmarchicus'
    """
    text = clean_text(written)
    if len(text) > MAX_NAME_LETTERS:
        return None
    found = _SCIENTIFIC.match(text)
    if found is None or _SECOND_NAME.search(found["rest"]):
        return None
    rest = found["rest"].strip(" ,")
    if rest and not _is_authorship(rest):
        return None
    epithet, infra = found["epithet"], found["infra"]
    if epithet in OPEN_NOMENCLATURE:
        epithet = infra = None
    words = [found["genus"], *(word for word in (epithet, infra) if word)]
    year = _YEAR.search(rest)
    sure = [found[name] or "" for name in ("sure1", "sure2")]
    marks = {"×", "x"}
    return WrittenName(
        written=written,
        canonical=" ".join(words),
        authorship=rest,
        year=int(year[1]) if year else None,
        qualifier=next((word for word in sure if word and word not in marks), ""),
        is_hybrid=bool(found["hybrid"])
        or bool(marks & set(sure))
        or _HYBRID.search(text) is not None,
    )


_SECOND_NAME = re.compile(r"^\s*\(?\s*(?:[&+/]|(?:and|plus|with|or|vs)\b)|/|\s(?:or|vs|versus)\b")


def joins_another(written: str, rest: str) -> bool:
    """Returns whether the end of a name is parted from it by a comma: "Acartia, Temora" are two names."""
    before, _, after = written.partition(rest)
    return before.rstrip().endswith(",") and after.strip() == "" and rest[:1].isupper()


def _is_authorship(rest: str) -> bool:
    """Returns whether the end of a name is an authorship: capitals, brackets, years, few other words."""
    small = {"de", "van", "von", "da", "di", "in", "ex", "et", "and", "al", "du", "der", "den", "la",
             "le", "f", "fil", "y", "zu", "dos", "des", "auct", "non", "nec", "sensu", "lato",
             "stricto", "emend", "comb", "nov", "bis"}  # fmt: skip
    words = _WORD.findall(rest)
    if _YEAR.search(rest) or rest.startswith("("):
        return True
    return bool(words) and all(word[0].isupper() or word in small for word in words)


def name_key(name: str) -> str:
    """Returns the form in which names are compared: lower case, no accents, no marks but the hyphen.

    >>> name_key("Coëlographis  Régina")
    'coelographis regina'
    """
    if _PLAIN.fullmatch(name):
        return name.lower()
    text = name
    while (plainer := _plainer(text)) != text:
        text = plainer
    return text


def _plainer(text: str) -> str:
    for letter, plain in (("æ", "ae"), ("œ", "oe"), ("ø", "o")):
        text = text.replace(letter, plain)
    parts = unicodedata.normalize("NFKD", text.lower())
    kept = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^\w\s\-]", " ", kept).replace("_", " ").split())


_PLAIN = re.compile(r"[A-Za-z]+(?:[ -][A-Za-z]+)*")
_ENDINGS = ("orum", "arum", "ense", "ensis", "ioides", "ius", "ium", "us", "um", "is", "ae", "ii", "es", "os",
            "on", "a", "e", "i")  # fmt: skip


@lru_cache(maxsize=1 << 16)
def epithet_stem(epithet: str) -> str:
    """Returns an epithet without the ending that follows the genus's gender, for comparison.

    >>> epithet_stem("arietinum") == epithet_stem("arietinus")
    True
    """
    for ending in _ENDINGS:
        if epithet.endswith(ending) and len(epithet) - len(ending) >= 3:
            return epithet[: -len(ending)]
    return epithet


@dataclass(frozen=True)
class LabelWords:
    """The words of a label that may name something.

    Attributes:
        written: the label as it came.
        segments: words by segment, the label's own first, then its parents ("part<Crustacea"); inside a
            segment in the order written, without numbers and codes.
    """

    written: str
    segments: tuple[tuple[str, ...], ...]


_HIERARCHY = re.compile(r"\s*>\s*")
_BREAK = re.compile(
    r"[\s_/|,;:()\[\]{}+&=\"“”!?*#]+|\.(?=\w)|(?<=\w)\.|(?<=[a-z])(?=[A-Z])|(?<=\d)(?=[A-Z])"
)
_NUMBER = re.compile(r"(?<![^\W_])[Nn]o\.?[\s_]*(?=\d)")
_NUMBERED = re.compile(r"^([^\W\d_]{4,})\d+$")
_CODE = re.compile(r"^\d+|\d$|^[A-Z]{1,2}[a-z]?\d|^[A-Za-z]$")


def label_words(written: str) -> LabelWords:
    """Returns the words of a label, by segment.

    ``Name<Parent`` is EcoTaxa's display name, ``A>B>C`` its hierarchy: the narrowest is first here.
    A full name ("Calanus finmarchicus (Gunnerus, 1770)") loses its authorship.

    >>> label_words("part<Crustacea").segments
    (('part',), ('Crustacea',))
    """
    text = clean_text(written)
    if len(text) > MAX_NAME_LETTERS and ">" not in text:
        return LabelWords(written, ())
    parts = text.split("<") if "<" in text else _HIERARCHY.split(text)[::-1]
    return LabelWords(
        written,
        tuple(words for part in parts if (words := _segment(part, has_underscores="_" in written))),
    )


def _segment(part: str, *, has_underscores: bool) -> tuple[str, ...]:
    if len(part) > MAX_NAME_LETTERS:
        return ()
    name = read_name(part) if _YEAR.search(part) else None
    if name is not None and (
        joins_another(part, name.authorship)
        or (has_underscores and not name.authorship.startswith("("))
    ):
        name = None
    text = _NUMBER.sub(" ", name.canonical if name is not None else part)
    before_interaction = re.split(r"[\s_]inter\.?[\s_]", text)[0]
    words = [_NUMBERED.sub(r"\1", word.strip("-.'’")) for word in _BREAK.split(before_interaction)]
    parted = [part for word in words for part in _without_like(word)]
    return tuple(word for word in parted if word and not _CODE.search(word))


def _without_like(word: str) -> list[str]:
    """Returns the parts of "shrimp-like"; other hyphens belong to the name ("Pseudo-nitzschia")."""
    parts = word.split("-")
    return parts if parts[-1].lower() in QUALIFIERS else [word]


def is_latin_like(word: str) -> bool:
    """Returns whether a word is written as a name of a taxon: a capital, then small letters, five or more."""
    return re.fullmatch(r"[A-ZÄËÏÖÜ][a-zäëïöüæœ]{3,}(?:-[a-z]+)?[a-z]", word) is not None


def names_no_taxon(word: str) -> bool:
    """Returns whether a word says what of an organism is shown, how sure, or that nothing lives."""
    small = word.lower()
    groups = (QUALIFIERS, NOT_LIVING, OPEN_NOMENCLATURE, NEGATIONS, JOINING)
    return any(small in group for group in groups)
