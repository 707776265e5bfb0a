"""Names matched: homonyms by hand, three outcomes and a fourth, misspellings, words of the field."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.collection.names_review import Attention, attention
from holotype.errors import TaxonomyError
from holotype.taxonomy.backbone.build import write_rows
from holotype.taxonomy.backbone.lineages import rows_of_lineages
from holotype.taxonomy.backbone.schema import RAW_COLUMNS, RAW_SCHEMA
from holotype.taxonomy.backbone.store import open_backbone
from holotype.taxonomy.lineage import Lineage, Rank
from holotype.taxonomy.matching.fuzzy import allowed_distance, fuzzy_words
from holotype.taxonomy.matching.match import BackboneMatcher, match_all
from holotype.taxonomy.matching.outcome import How, MatchStatus, NameMatch, Query
from holotype.taxonomy.matching.vocabulary import WordSort, find_word, vocabulary

RANKS = ("kingdom", "phylum", "class", "order", "family", "genus", "species")
TAXA = [
    "Animalia Arthropoda Copepoda Calanoida Calanidae Calanus Calanus-finmarchicus",
    "Animalia Arthropoda Copepoda Calanoida Calanidae Calanus Calanus-glacialis",
    "Animalia Arthropoda Copepoda Calanoida Paracalanidae Paracalanus Paracalanus-parvus",
    "Animalia Arthropoda Copepoda Calanoida Acartiidae Acartia Acartia-clausi",
    "Animalia Arthropoda Copepoda Harpacticoida Tachidiidae Euterpina Euterpina-acutifrons",
    "Animalia Arthropoda Copepoda Harpacticoida Ectinosomatidae Microsetella Microsetella-norvegica",
    "Animalia Arthropoda Branchiopoda Diplostraca Daphniidae Daphnia Daphnia-magna",
    "Animalia Arthropoda Diplopoda Siphonophorida Siphonophoridae Siphonophora -",
    "Animalia Arthropoda Insecta Siphonaptera Pulicidae Pulex -",
    "Animalia Arthropoda Malacostraca Decapoda Galatheidae Galathea -",
    "Animalia Mollusca Bivalvia Pteriida Inoceramidae Cladoceramus -",
    "Animalia Mollusca Gastropoda Pylopulmonata Pyramidellidae Microstellaria -",
    "Animalia Ctenophora Nuda Beroida Beroidae Beroe -",
    "Animalia Ctenophora Tentaculata Cydippida - - -",
    "Animalia Cnidaria Hydrozoa Siphonophorae Abylidae Abylopsis Abylopsis-tetragona",
    "Animalia Cnidaria Anthozoa Scleractinia Fungiidae Fungia -",
    "Animalia Chaetognatha Sagittoidea Aphragmophora Sagittidae Sagitta -",
    "Animalia Chordata Appendicularia Copelata Fritillariidae Fritillaria -",
    "Chromista Heterokontophyta Bacillariophyceae Licmophorales Ulnariaceae Ctenophora Ctenophora-pulchella",
    "Chromista Heterokontophyta Bacillariophyceae Bacillariales Bacillariaceae Pseudo-nitzschia -",
    "Chromista Heterokontophyta Bacillariophyceae Rhizosoleniales Rhizosoleniaceae Rhizosolenia -",
    "Chromista Foraminifera Globothalamea Rotaliida Siphonapteridae Siphonaptera -",
    "Chromista Myzozoa Dinophyceae Gonyaulacales Ceratiaceae Tripos Tripos-arietinus",
    "Chromista Myzozoa Dinophyceae Gonyaulacales Ceratiaceae Tripos Tripos-furca",
    "Chromista Myzozoa Dinophyceae Gonyaulacales Pyrocystaceae Pyrocystis Pyrocystis-lunula",
    "Chromista Myzozoa Dinophyceae Noctilucales Noctilucaceae Noctiluca Noctiluca-scintillans",
    "Fungi Basidiomycota - - - Ramaria -",
    "Plantae Tracheophyta Magnoliopsida Myrtales Melastomataceae Appendicularia -",
]  # fmt: skip


def lineage(text):
    names = [None if word == "-" else word.replace("-", " ", 1) if rank == "species" else word
             for rank, word in zip(RANKS, text.split(), strict=True)]  # fmt: skip
    return Lineage.from_names(dict(zip(RANKS, names, strict=True)))


@pytest.fixture(scope="module")
def matcher(tmp_path_factory):
    raw, problems = rows_of_lineages([(lineage(text), ()) for text in TAXA])
    synonym = dict.fromkeys(RAW_COLUMNS) | {
        "taxon_id": "syn", "written_name": "Monoculus finmarchicus Gunnerus, 1770", "rank_written": "species",
        "status_written": "synonym",
    }  # fmt: skip
    rows = raw.to_pylist()
    synonym["accepted_id"] = next(
        r["taxon_id"] for r in rows if r["written_name"] == "Calanus finmarchicus"
    )
    import pyarrow as pa

    table = pa.Table.from_pylist([*rows, synonym], schema=RAW_SCHEMA)
    out = tmp_path_factory.mktemp("backbone") / "b.parquet"
    write_rows(table, problems, kind="lineages", out=out, sha256="", snapshot="1", name="hand")
    return BackboneMatcher(open_backbone(out))


def ask(matcher, written, **context):
    return matcher.match(Query(written, **context))


@pytest.mark.parametrize(
    ("written", "name", "how"),
    [
        ("Calanus finmarchicus", "Calanus finmarchicus", How.EXACT),
        ("Calanus finmarchicus (Gunnerus, 1770)", "Calanus finmarchicus", How.EXACT),
        ("CALANUS FINMARCHICUS", "Calanus finmarchicus", How.EXACT),
        ("calanus_finmarchicus", "Calanus finmarchicus", How.EXACT),
        ("Calanus finmarchicus Gunnerus", "Calanus finmarchicus", How.DOUBTED),
        ("Calanus finmarchicus L.", "Calanus finmarchicus", How.EXACT),
        ("Calanus Leach, 1816", "Calanus", How.EXACT),
        ("Monoculus finmarchicus", "Calanus finmarchicus", How.SYNONYM),
        ("Neoceratium arietinum", "Tripos arietinus", How.SYNONYM),
        ("Tripos arietina", "Tripos arietinus", How.ENDING),
        ("Calanus finmarhicus", "Calanus finmarchicus", How.FUZZY),
        ("Calanuss finmarchicus", "Calanus finmarchicus", How.FUZZY),
        ("Microstella", "Microsetella", How.FUZZY),
        ("Calanus hyperboreus", "Calanus", How.HIGHER),
        ("Acartia sp.", "Acartia", How.EXACT),
        ("Acartia spp._2_cells", "Acartia", How.EXACT),
        ("copepod_calanoid_eggs", "Calanoida", How.WORD),
        ("copepods", "Copepoda", How.WORD),
        ("chaetognata", "Chaetognatha", How.FUZZY),
        ("chaetognaths", "Chaetognatha", How.WORD),
        ("siphonophore_calycophoran_abylidae", "Abylidae", How.EXACT),
        ("part<Crustacea", "Arthropoda", How.HIGHER),
        ("zoea_Galatheidae", "Galatheidae", How.EXACT),
        ("Cladocera", "Diplostraca", How.HIGHER),
        ("ctenophore_cydippid_no_tentacles", "Cydippida", How.WORD),
        ("Pseudo-Nitzschia chain", "Pseudo-nitzschia", How.EXACT),
        ("Calanus_finmarchicus_Calanus_glacialis", "Calanus", How.COMMON),
        ("Pyrocystis noctiluca", "Pyrocystis", How.HIGHER),
        ("Acartia_Acartiidae_Calanoida", "Acartia", How.EXACT),
        ("acartiids", "Acartiidae", How.DERIVED),
        ("Rhizosolenia inter. Richelia", "Rhizosolenia", How.EXACT),
    ],
)
def test_names_by_hand(matcher, written, name, how):
    found = ask(matcher, written)
    assert found.status is MatchStatus.MATCHED, found.reason
    assert (found.taxon.name, found.how) == (name, how)
    assert found.reason


@pytest.mark.parametrize(
    "written", ["Ctenophora", "Siphonaptera", "Siphonophora", "Appendicularia", "part<Ctenophora"]
)
def test_a_homonym_waits_with_all_its_candidates(matcher, written):
    found = ask(matcher, written)
    assert found.status is MatchStatus.AMBIGUOUS
    assert found.taxon is None
    assert len(found.candidates) == 2
    assert "may be" in found.reason


CONTEXTS = [
    ("Ctenophora", {"kingdoms": frozenset({"Animalia"})}, Rank.PHYLUM),
    ("Ctenophora", {"kingdoms": frozenset({"Chromista"})}, Rank.GENUS),
    ("Ctenophora", {"kingdoms": frozenset({"Metazoa"})}, Rank.PHYLUM),
    ("Ctenophora", {"lineage": Lineage.from_names({"phylum": "Heterokontophyta"})}, Rank.GENUS),
    ("Ctenophora", {"rank": Rank.GENUS}, Rank.GENUS),
    ("Ctenophora pulchella", {}, Rank.SPECIES),
    ("Beroe<Ctenophora", {}, Rank.GENUS),
    ("Ctenophora<Ulnariaceae", {}, Rank.GENUS),
    ("ctenophore", {}, Rank.PHYLUM),
]


@pytest.mark.parametrize(("written", "context", "rank"), CONTEXTS)
def test_context_decides_a_homonym(matcher, written, context, rank):
    found = ask(matcher, written, **context)
    assert found.status is MatchStatus.MATCHED, found.reason
    assert found.taxon.rank is rank


@pytest.mark.parametrize(
    ("written", "context"),
    [
        ("Beroe", {"kingdoms": frozenset({"Plantae"})}),
        (
            "Acartia clausi",
            {"lineage": Lineage.from_names({"kingdom": "Plantae", "phylum": "Tracheophyta"})},
        ),
        (
            "Cladoceramus",
            {"lineage": Lineage.from_names({"phylum": "Arthropoda", "class": "Branchiopoda"})},
        ),
    ],
)
def test_a_taxon_that_the_context_excludes_is_not_taken(matcher, written, context):
    found = ask(matcher, written, **context)
    assert found.status is MatchStatus.AMBIGUOUS
    assert found.taxon is None
    assert "context excludes" in found.reason


@pytest.mark.parametrize("written", ["Fungi", "Cladocera", "Siphonophora", "Ctenophores"])
def test_a_group_is_not_the_genus_that_resembles_it(matcher, written):
    found = ask(matcher, written)
    wrong = {"Fungia", "Cladoceramus", "Siphonaptera"}
    assert found.taxon is None or found.taxon.name not in wrong


def test_the_other_labels_of_a_source_tell_its_kingdom(matcher):
    animals = ["Calanus finmarchicus", "Acartia clausi", "Daphnia magna", "Calanus", "Acartia", "Daphnia",
               "Galathea", "Sagitta", "Beroe", "Fritillaria", "Ctenophora"]  # fmt: skip
    answers = match_all([Query(name, source="net") for name in animals], [matcher])
    assert answers[-1].taxon.rank is Rank.PHYLUM
    assert "all 10 sure labels of the source are Animalia" in answers[-1].reason
    assert answers[-1].how is How.NEIGHBOURS
    assert attention(answers[-1]) is Attention.CHECK
    guessed = [*animals[:-2], "Calanus finmarhicus", "Ctenophora"]
    answers = match_all([Query(name, source="net") for name in guessed], [matcher])
    assert answers[-2].how is How.FUZZY
    assert answers[-1].status is MatchStatus.AMBIGUOUS, "a misspelling is no sure witness"
    mixed = [*animals, "Tripos furca"]
    answers = match_all([Query(name, source="net") for name in mixed], [matcher])
    assert answers[-2].status is MatchStatus.AMBIGUOUS
    few = match_all(
        [Query("Acartia clausi", source="s"), Query("Ctenophora", source="s")], [matcher]
    )
    assert few[1].status is MatchStatus.AMBIGUOUS


def test_an_abbreviated_genus_is_read_from_the_same_source(matcher):
    asked = [Query("Calanus_glacialis", source="a"), Query("C_glacialis_parasite", source="a"),
             Query("C_glacialis_parasite", source="b")]  # fmt: skip
    answers = match_all(asked, [matcher])
    assert answers[1].taxon.name == "Calanus glacialis"
    assert answers[1].how is How.ABBREVIATION
    assert answers[2].status is MatchStatus.NO_MATCH


@pytest.mark.parametrize(
    "written",
    ["detritus", "dark sphere", "bubble", "side", "t001", "", "🦐", "'; DROP TABLE", "=1+1"],
)
def test_what_names_no_taxon(matcher, written):
    found = ask(matcher, written)
    assert found.status is MatchStatus.NO_MATCH
    assert found.taxon is None


def test_an_unknown_name_is_told_from_no_name(matcher):
    assert not ask(matcher, "Gymnodinium").names_no_taxon
    assert "'Gymnodinium' is not in the backbone" in ask(matcher, "Gymnodinium").reason
    assert ask(matcher, "polar_view").names_no_taxon


def test_two_names_of_which_one_is_unknown_wait(matcher):
    found = ask(matcher, "Acartia_Oithona")
    assert found.status is MatchStatus.AMBIGUOUS
    assert "Oithona" in found.reason


@pytest.mark.parametrize("written", ["Beroa", "Pulux", "Sagit"])
def test_short_names_are_never_misspellings(matcher, written):
    assert ask(matcher, written).taxon is None


def test_a_genus_two_letters_away_waits(matcher):
    found = ask(matcher, "Parvocalanus")
    assert found.taxon is None, "Parvocalanus is a genus of its own, not a misspelt Paracalanus"
    assert found.status is MatchStatus.AMBIGUOUS


class Broken:
    name = "broken"

    def match(self, query):
        raise TaxonomyError("the part is damaged")


class Sure:
    name = "sure"

    def match(self, query):
        return replace(NameMatch(query, MatchStatus.NO_MATCH, ""), status=MatchStatus.MATCHED)


def test_a_failure_is_never_no_match(matcher):
    query = Query("Zzyzx")
    assert match_all([query], [matcher])[0].status is MatchStatus.NO_MATCH
    failed = match_all([query], [Broken(), matcher])[0]
    assert failed.status is MatchStatus.SERVICE_FAILED
    assert "the part is damaged" in failed.reason
    assert match_all([query], [Broken(), Sure()])[0].status is MatchStatus.MATCHED
    assert (
        match_all([Query("Acartia clausi")], [Broken(), matcher])[0].status is MatchStatus.MATCHED
    )
    assert match_all([query], [])[0].status is MatchStatus.SERVICE_FAILED


def test_each_different_query_is_matched_once(matcher):
    class Counting:
        name = "counting"
        asked = 0

        def match(self, query):
            self.asked += 1
            return matcher.match(query)

    counting = Counting()
    answers = match_all([Query("Acartia clausi")] * 1000, [counting])
    assert (len(answers), counting.asked) == (1000, 1)


def test_the_letter_masks_lose_no_near_word(matcher):
    from rapidfuzz.distance import OSA

    table = fuzzy_words(matcher.backbone)
    words = [str(word) for word in table.words]
    for asked in (
        "calanis",
        "acartja",
        "rhizosolnia",
        "microstella",
        "sagita",
        "pyrocysits",
        "noctiluac",
    ):
        limit = allowed_distance(asked)
        slow = {w for w in words if w[0] == asked[0] and OSA.distance(asked, w) <= limit}
        assert slow == {word for _, word in table.near(asked)}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gets_an_answer(matcher, written):
    found = ask(matcher, written)
    assert (found.taxon is not None) == (found.status is MatchStatus.MATCHED)


@pytest.mark.parametrize(
    "written", ["a" * 10_000, "Calanus " * 2_000, "<" * 5_000, "\u202eCalanus"]
)
def test_absurd_texts_are_answered_at_once(matcher, written):
    assert ask(matcher, written).status in (
        MatchStatus.NO_MATCH,
        MatchStatus.MATCHED,
        MatchStatus.AMBIGUOUS,
    )


def test_every_word_has_its_higher_context():
    for word, entry in vocabulary().items():
        assert word == word.lower()
        if entry.sort is WordSort.FORM:
            assert not entry.path
        else:
            assert entry.path[-1] in {
                "Animalia",
                "Chromista",
                "Plantae",
                "Bacteria",
                "Protozoa",
                "Fungi",
            }
    assert find_word("Copepods").path[0] == "Copepoda"


@pytest.mark.real
def test_the_comb_jellies_of_every_source_wait(real_data, tmp_path):
    from holotype.taxonomy.backbone.build import build_backbone

    build_backbone(
        "lineages", real_data / "taxonomy/planktonzilla_taxonomy.csv", out=tmp_path / "b.parquet"
    )
    whole = BackboneMatcher(open_backbone(tmp_path / "b.parquet"))
    assert ask(whole, "Ctenophora").status is MatchStatus.AMBIGUOUS
    assert ask(whole, "Cladocera").taxon.name == "Branchiopoda"
    animals = frozenset({"Animalia"})
    assert ask(whole, "Ctenophora", kingdoms=animals).taxon.lineage.text() == "Animalia Ctenophora"


@pytest.mark.parametrize("written", ["part<Crustacea", "Copepoda", "polar_view", "copepod_other"])
def test_a_narrower_lineage_of_the_source_is_kept(matcher, written):
    given = Lineage.from_names({"phylum": "Arthropoda", "class": "Copepoda", "genus": "Acartia"})
    found = ask(matcher, written, lineage=given)
    assert found.taxon.name == "Acartia"
    assert found.query.written == written
    assert "the source's lineage" in found.reason


def test_a_narrower_label_is_kept(matcher):
    given = Lineage.from_names({"phylum": "Arthropoda", "class": "Copepoda"})
    assert ask(matcher, "Acartia clausi", lineage=given).taxon.name == "Acartia clausi"
    assert ask(matcher, "Acartia clausi", lineage=given).reason.startswith("'Acartia clausi'")


@pytest.mark.parametrize(
    ("written", "given", "name"),
    [
        ("Gymnodinium", {"phylum": "Arthropoda", "class": "Copepoda"}, "Copepoda"),
        ("sp7 Gymnodinium", {"phylum": "Arthropoda", "class": "Copepoda"}, "Copepoda"),
        ("gymnodinium", {"phylum": "Arthropoda", "class": "Copepoda"}, "Copepoda"),
        ("not Gymnodinium", {"phylum": "Arthropoda", "class": "Copepoda"}, "Copepoda"),
        ("Gymnodinium", {"genus": "Calanus", "species": "Calanus glacialis"}, "Calanus glacialis"),
    ],
)
def test_an_unknown_label_under_a_known_lineage_is_to_check(matcher, written, given, name):
    found = ask(matcher, written, lineage=Lineage.from_names(given))
    assert (found.taxon.name, found.how) == (name, How.HIGHER)
    assert found.score < 0.9
    assert "ymnodinium" in found.reason
    assert attention(found) is Attention.CHECK


def test_a_common_name_beside_a_species_of_the_source_is_sure(matcher):
    given = Lineage.from_names({"genus": "Calanus", "species": "Calanus glacialis"})
    found = ask(matcher, "red feed", lineage=given)
    assert (found.taxon.name, found.how) == ("Calanus glacialis", How.EXACT)


@pytest.mark.parametrize(
    "joint", ["/", " / ", " & ", " and ", " or ", ", ", " ", " vs ", " vs. ", "_", "+"]
)
@pytest.mark.parametrize("end", ["", " 2012", " sp."])
def test_a_second_taxon_is_no_author(matcher, joint, end):
    if joint == " " and end == " 2012":
        return  # written as an author and a year
    found = ask(matcher, f"Acartia{joint}Temora{end}")
    assert found.status is MatchStatus.AMBIGUOUS, found.reason
    assert "Temora" in found.reason
    both = ask(matcher, f"Acartia{joint}Calanus{end}")
    assert (both.taxon.name, both.how) == ("Calanoida", How.COMMON)


@pytest.mark.parametrize(
    ("written", "how"),
    [
        ("Acartia clausi Giesbrecht & Schmitt, 1892", How.EXACT),
        ("Acartia clausi (Giesbrecht)", How.EXACT),
        ("Acartia clausi Giesbrecht", How.DOUBTED),
        ("Acartia clausi Giesbrecht & Schmitt", None),
        ("Acartia clausi / Temora", None),
        ("Acartia (and Temora)", None),
        ("Acartia (Temora & Oithona)", None),
        ("Acartia clausi Giesbrecht or Temora 1892", None),
    ],
)
def test_authors_are_told_by_year_or_brackets(matcher, written, how):
    found = ask(matcher, written)
    assert found.how is how, found.reason
    expected = {How.EXACT: Attention.NONE, How.DOUBTED: Attention.CHECK, None: Attention.DECIDE}
    assert attention(found) is expected[how]


@pytest.mark.parametrize(
    "written",
    ["not Acartia", "no_Acartia", "non_Acartia", "non-Acartia", "without Acartia", "NotAcartia",
     "Not_a_copepod", "part<not Acartia", "not Acartia clausi", "copepod_not_Acartia", "Acartia_not",
     "excl. Acartia"],
)  # fmt: skip
def test_a_denied_name_is_not_matched(matcher, written):
    found = ask(matcher, written)
    assert found.status is MatchStatus.AMBIGUOUS, found.reason
    assert "denies" in found.reason
    assert found.candidates


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Acartia no tentacles", "Acartia"),
        ("Acartia without eggs", "Acartia"),
        ("copepod_not_identified", "Copepoda"),
        ("not_identified_copepod", "Copepoda"),
        ("No. 3 Acartia", "Acartia"),
        ("Acartia_no_12", "Acartia"),
    ],
)
def test_what_denies_no_name_is_let_be(matcher, written, name):
    found = ask(matcher, written)
    assert found.status is MatchStatus.MATCHED, found.reason
    assert found.taxon.name == name


@pytest.mark.parametrize(
    ("written", "given", "said"),
    [
        ("Acartia clausi", {"phylum": "Arthropoda", "class": "Insecta"}, "class Copepoda"),
        (
            "Acartia",
            {"phylum": "Arthropoda", "class": "Insecta", "order": "Diptera"},
            "class Copepoda",
        ),
        ("copepods", {"phylum": "Arthropoda", "class": "Malacostraca"}, "class Copepoda"),
        ("Acartia clausi", {"class": "Copepoda", "order": "Harpacticoida"}, "order Calanoida"),
        ("Acartia clausi", {"order": "Calanoida", "genus": "Calanus"}, "genus Acartia"),
    ],
)
def test_a_classification_that_differs_is_told(matcher, written, given, said):
    found = ask(matcher, written, lineage=Lineage.from_names(given))
    assert attention(found) is Attention.CHECK
    assert found.how is How.DOUBTED
    assert f"but {said} in the backbone" in found.reason
    kingdom = ask(matcher, "Acartia", lineage=Lineage.from_names(
        {"kingdom": "Metazoa", "phylum": "Arthropoda"}))  # fmt: skip
    assert kingdom.how is How.EXACT
