"""What users meet: commands, functions, recipes, and how long they wait for a first word."""

import inspect
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

import holotype
from holotype.cli.app import COMMANDS, GROUPS, app

ROOT = Path(__file__).parent.parent.parent
RECIPES = sorted((ROOT / "recipes").glob("*.toml"))
LIGHT = ("taxonomy", "media", "catalogue", "page", "collection", "splits", "simulate", "exchange")


def python(code, *words):
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def light_modules():
    source = ROOT / "src"
    for name in LIGHT:
        for path in sorted((source / "holotype" / name).rglob("*.py")):
            parts = path.relative_to(source).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__")
    yield "holotype.evaluation.metrics"


def test_light_folders_are_imported_without_torch():
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    done = python(code + "assert 'torch' not in sys.modules", *light_modules())
    assert done.returncode == 0, done.stderr


def test_import_holotype_is_light():
    code = (
        "import sys, holotype\nassert not {'numpy', 'torch', 'pyarrow', 'cv2'} & set(sys.modules)"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr


HELP = "import sys; sys.argv = ['holotype', *sys.argv[1:]]; from holotype.cli.app import main; "


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"]])
def test_help_loads_nothing_heavy(words):
    code = HELP + (
        "import atexit, os; atexit.register(lambda: os.write(2, ' '.join(sys.modules).encode())); main()"
    )
    done = python(code, *words)
    assert done.returncode == 0
    loaded = set(done.stderr.split())
    assert "typer" in loaded
    assert not {"numpy", "torch", "pyarrow", "cv2", "PIL", "timm", "plotly"} & loaded


@pytest.mark.parametrize("code", ["import holotype", HELP + "main()"], ids=["import", "help"])
def test_the_first_word_comes_at_once(code):
    words = ["--help"] if "main" in code else []
    best = float("inf")
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = python(code, *words)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best, spent)
        assert done.returncode == 0
    assert best < 0.5, "seconds of CPU, which a busy machine does not add to"


GROUP_FUNCTIONS = {
    "sources list": "list_sources",
    "sources show": "show_source",
    "sources check": "check_sources",
    "sources get": "get_source",
    "names backbone": "build_backbone",
    "names match": "match_names",
    "names review": "review_names",
    "names apply": "apply_names",
    "models list": "list_models",
    "models get": "get_model",
    "index build": "build_index",
    "index add": "add_to_index",
    "index search": "search_index",
    "review new": "new_session",
    "review status": "review_status",
    "review apply": "apply_review",
    "review export": "export_review",
    "review page": "review_page",
}
"""Commands of groups and the functions that they are: a group's word alone would say too little."""
COMMAND_FUNCTIONS = {"import": "import_", "references": "write_references"}
"""Commands whose word is none of Python's, or says too little without its options."""


def all_commands():
    """Every command by what people type: "import", "names match"."""
    commands = get_command(app).commands
    for name in COMMANDS:
        yield name, commands[name]
    for group in GROUPS:
        for name, command in commands[group].commands.items():
            yield f"{group} {name}", command


ALL = dict(all_commands())


def function_of(name):
    """The public function that a command is."""
    return (GROUP_FUNCTIONS | COMMAND_FUNCTIONS).get(name, name.replace("-", "_"))


def test_groups_hold_what_is_known_here():
    assert {name for name in ALL if " " in name} == set(GROUP_FUNCTIONS)


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_says_what_it_is_for(group):
    assert len(get_command(app).commands[group].help) > 20


@pytest.mark.parametrize("name", ALL)
def test_every_command_says_what_it_does(name):
    command = ALL[name]
    assert command.help
    assert len(command.help.splitlines()[0]) > 20
    assert "as_json" in {parameter.name for parameter in command.params}
    for parameter in command.params:
        if parameter.name != "help":
            assert getattr(parameter, "help", None), f"{name}: {parameter.name}"


@pytest.mark.parametrize("name", ALL)
def test_every_command_is_a_function_of_the_package(name):
    word = function_of(name)
    assert word in holotype.__all__
    function = getattr(holotype, word)
    assert inspect.isfunction(function)
    assert len(inspect.getdoc(function)) > 40
    if name in COMMANDS:
        assert COMMANDS[name].__name__.strip("_") == name.replace("-", "_")


def test_the_package_promises_no_more_than_the_commands():
    of_models = {"export_model"}  # the command export is of collections and of models
    assert set(holotype.__all__) - {"__version__"} - of_models == {
        function_of(name) for name in ALL
    }


def test_all_names_exist_and_nothing_else_is_promised():
    assert sorted(holotype.__all__) == holotype.__all__
    for name in holotype.__all__:
        assert getattr(holotype, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        _ = holotype.trian


def test_there_are_recipes():
    assert len(RECIPES) >= 3


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_loads_by_name_and_is_complete(path):
    from holotype.config import as_toml
    from holotype.training.recipe import Recipe, read_recipe

    recipe = read_recipe(path.stem)
    assert recipe == read_recipe(path)
    assert recipe.name == path.stem
    assert len(recipe.about.strip()) > 40
    written = tomllib.loads(as_toml(recipe))
    assert Recipe.model_validate(written) == recipe
    stated = tomllib.loads(path.read_text(encoding="utf-8"))
    # What a run depends on most is said by the recipe itself, not left to a default.
    assert {"name", "about", "seed", "target", "model", "schedule"} <= set(stated)
    assert {"epochs", "batch_size", "peak_lr"} <= set(stated["schedule"])
    assert {"classify", "align"} & set(stated)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("schedule.epoch=3", "unknown key 'schedule.epoch'. Did you mean 'epochs'?"),
        (
            "schedule.epochs=0",
            "schedule.epochs: Input should be greater than or equal to 1 (found: 0)",
        ),
        ("schedule.epochs", "write it as a.b=value"),
        ("seed.x=1", "'seed' is a value, not a table"),
        ("modle.embedding_dim=3", "unknown key 'modle'. Did you mean 'model'?"),
    ],
)
def test_wrong_overrides_are_told_the_nearest_key(override, message):
    from holotype.errors import RecipeError
    from holotype.training.recipe import read_recipe

    with pytest.raises(RecipeError) as caught:
        read_recipe(RECIPES[0], (override,))
    assert message in str(caught.value)


def test_overrides_are_laid_over_a_recipe():
    from holotype.training.recipe import read_recipe

    before = read_recipe(RECIPES[0])
    changed = read_recipe(RECIPES[0], ("schedule.epochs=3", "name=other words"))
    assert (changed.schedule.epochs, changed.name) == (3, "other words")
    assert changed.model == before.model


def test_an_unknown_recipe_is_told_the_nearest():
    from holotype.errors import RecipeError
    from holotype.training.recipe import read_recipe

    with pytest.raises(RecipeError, match=r"no recipe 'trimodl'. Did you mean 'trimodal'"):
        read_recipe("trimodl")
    with pytest.raises(RecipeError, match="no such recipe"):
        read_recipe("none/trimodl.toml")
