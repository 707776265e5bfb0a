"""Rules that the source keeps: who may import whom, how large a module is, what is documented."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "src" / "holotype"
MODULES = sorted(SOURCE.rglob("*.py"))
LAYERS = [
    "errors", "unfinished", "files", "journal", "randomness", "progress", "config", "engine", "taxonomy",
    "media", "simulate", "catalogue", "page", "collection", "splits", "inputs", "objectives", "models",
    "index",
    "decisions", "training", "evaluation", "identify", "assessing", "counting", "adapting", "exchange",
    "reviewing", "jobs", "app", "cli",
]  # fmt: skip
BESIDE_CLI = {"demonstration", "diagnosis", "testing"}
FACE = {"__init__", "__main__", "_version"}
MAX_LINES = 300
WITHOUT_TORCH = (
    "taxonomy", "media", "simulate", "catalogue", "collection", "splits", "exchange",
    "evaluation/metrics.py",
)  # fmt: skip
HEAVY = {"torch", "torchvision", "timm", "lightning_fabric", "safetensors", "tensorboard"}


def layer_of(path):
    """The top folder or module of a file of the package."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_names(path):
    """Full dotted names that a file imports anywhere in it, type checking aside."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def allowed_layers(layer):
    """What a layer may import: itself and everything above it."""
    if layer in BESIDE_CLI:
        return {*LAYERS, *BESIDE_CLI, *FACE} - {"cli"}
    if layer == "cli":
        return {*LAYERS, *BESIDE_CLI, *FACE}
    return {*LAYERS[: LAYERS.index(layer) + 1], "_version"}


def test_every_module_has_a_place_in_the_order():
    found = {layer_of(path) for path in MODULES}
    assert found == {*LAYERS, *BESIDE_CLI, *FACE}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_imports_go_up_only(path):
    layer = layer_of(path)
    if layer in FACE:
        return
    allowed = allowed_layers(layer)
    wrong = []
    for line, name in imported_names(path):
        parts = name.split(".")
        if parts[0] != "holotype":
            continue
        target = parts[1] if len(parts) > 1 else "__init__"
        if target not in allowed and not (target == "__version__" and "_version" in allowed):
            wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not wrong


def test_the_rule_of_imports_can_fail(tmp_path):
    bad = tmp_path / "x.py"
    bad.write_text(
        "def f():\n    from holotype.splits.plan import Role\n    import holotype.cli.app\n"
    )
    assert [name for _, name in imported_names(bad)] == [
        "holotype.splits.plan.Role",
        "holotype.cli.app",
    ]
    assert "splits" not in allowed_layers("collection")
    assert "collection" in allowed_layers("splits")
    assert "cli" not in allowed_layers("demonstration")


@pytest.mark.parametrize("place", WITHOUT_TORCH)
def test_these_never_import_torch(place):
    root = SOURCE / place
    paths = [root] if root.suffix else sorted(root.rglob("*.py"))
    assert paths
    for path in paths:
        wrong = [name for _, name in imported_names(path) if name.split(".")[0] in HEAVY]
        assert not wrong, path


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_no_module_outgrows_its_purpose(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def public_definitions(tree):
    """Public modules, classes, functions and methods; not what is defined inside a function."""
    pending = [(tree, "")]
    while pending:
        node, place = pending.pop()
        for inner in node.body:
            if not isinstance(inner, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if inner.name.startswith("_"):
                continue
            yield f"{place}{inner.name}", inner
            if isinstance(inner, ast.ClassDef):
                pending.append((inner, f"{place}{inner.name}."))


def overrides_or_overloads(node):
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return bool({"overload", "override"} & names)


def test_everything_public_is_documented():
    missing = []
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if ast.get_docstring(tree) is None and path.name != "_version.py":
            missing.append(f"{path.relative_to(ROOT)}: module")
        for name, node in public_definitions(tree):
            if ast.get_docstring(node) is None and not overrides_or_overloads(node):
                missing.append(f"{path.relative_to(ROOT)}:{node.lineno} {name}")
    assert not missing


def test_no_relative_imports():
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.level), path


def tracked_texts():
    """The text files of the repository, by place."""
    endings = {
        ".py",
        ".toml",
        ".md",
        ".tsv",
        ".css",
        ".js",
        ".html",
        ".yml",
        ".yaml",
        ".txt",
        ".cfg",
    }
    top = [path for path in ROOT.iterdir() if path.is_file()]
    folders = ("src", "recipes", "docs", "benchmarks", "tests", ".ci")
    inside = [path for name in folders for path in (ROOT / name).rglob("*") if path.is_file()]
    for path in sorted([*top, *inside]):
        wanted = path.suffix in endings or path.name in {"Makefile", "run", "LICENSE"}
        if wanted and "__pycache__" not in path.parts:
            yield path, path.read_text(encoding="utf-8")


def test_no_file_names_a_machine_or_a_package_registry():
    machines = [f"/{name}/" for name in ("work", "tmp", "root", "home")]
    registries = [
        "py" + "pi.org",
        "python" + "hosted",
        "ana" + "conda.org",
        "download.py" + "torch",
    ]
    pattern = re.compile(
        rf"(?<![\w.~])({'|'.join(map(re.escape, machines))})\w|({'|'.join(map(re.escape, registries))})"
    )
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path, text in tracked_texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]
    assert not found


IMPORT_NAMES = {
    "opencv-python-headless": "cv2", "pillow": "PIL", "lightning-fabric": "lightning_fabric",
    "scikit-learn": "sklearn", "tomli-w": "tomli_w", "faiss-cpu": "faiss",
    "prometheus-client": "prometheus_client", "python-multipart": "python_multipart",
}  # fmt: skip
NOT_IMPORTED = {"torchvision", "tensorboard", "h5netcdf", "zarr"}
"""Needed by what we import."""


def test_what_is_imported_is_declared_and_the_other_way_round():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[<>=\[ ]", text)[0] for text in project["dependencies"]}
    names = {IMPORT_NAMES.get(name, name) for name in declared}
    used = {name.split(".")[0] for path in MODULES for _, name in imported_names(path)}
    used -= {"holotype", *sys.stdlib_module_names}
    optional = {"ray", "open_clip", "transformers", "openvino", "nncf"}
    assert used - names == optional
    assert names - used - NOT_IMPORTED == set()
