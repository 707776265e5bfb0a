"""The command line's frame: the table of commands, errors -> exit codes, results on stdout.

Exit codes: 0 done, 1 our fault, 2 the user can mend it, 3 done but some inputs failed.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from enum import IntEnum
from typing import Any

import typer

from holotype.cli import (
    adapting,
    assessing,
    calibrating,
    checking,
    collecting,
    comparing,
    counting,
    embedding,
    evidence,
    exporting,
    learning,
    predicting,
    publishing,
    serving,
    showing,
    starting,
)
from holotype.cli.indexing import app as index_app
from holotype.cli.models import app as models_app
from holotype.cli.naming import naming_app
from holotype.cli.options import Result
from holotype.cli.reviewing import app as review_app
from holotype.cli.sources import app as sources_app
from holotype.errors import HolotypeError
from holotype.progress import note


class Exit(IntEnum):
    """What a command's exit code means."""

    DONE = 0
    OUR_FAULT = 1
    USER_CAN_MEND = 2
    SOME_FAILED = 3


INTERRUPTED = 130
"""What Typer returns after Ctrl-C; older versions raise ``Abort``."""

app = typer.Typer(
    name="holotype",
    help="Names organisms from images, DNA barcodes and words, and says how sure it is.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

COMMANDS: dict[str, Callable[..., Any]] = {
    "import": collecting.import_,
    "drop": collecting.drop,
    "check": checking.check,
    "summary": showing.summary,
    "environment": collecting.environment,
    "licences": collecting.licences,
    "export": exporting.export,
    "split": learning.split,
    "audit": learning.audit,
    "train": learning.train,
    "evaluate": learning.evaluate,
    "compare": comparing.compare,
    "calibrate": calibrating.calibrate,
    "thresholds": calibrating.thresholds,
    "adapt": adapting.adapt,
    "shrink": adapting.shrink,
    "embed": embedding.embed,
    "predict": predicting.predict,
    "evidence": evidence.evidence,
    "count": counting.count,
    "publish": publishing.publish,
    "check-archive": publishing.check_archive,
    "references": publishing.references,
    "assess": assessing.assess,
    "queue": assessing.queue,
    "suspects": assessing.suspects,
    "serve": serving.serve,
    "trained-on": predicting.trained_on,
    "demo": starting.demo,
    "doctor": starting.doctor,
}
"""Every command, in the order of the user's path."""

GROUPS: dict[str, typer.Typer] = {
    "sources": sources_app,
    "names": naming_app,
    "models": models_app,
    "index": index_app,
    "review": review_app,
}
"""Commands with commands of their own."""

for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)


def main() -> None:
    """Runs the command line; prints the result on stdout and ends with the exit code."""
    try:
        result = app(standalone_mode=False, prog_name="holotype")
        if result == INTERRUPTED:
            raise KeyboardInterrupt
    except HolotypeError as reason:
        note(f"holotype: {reason}")
        sys.exit(Exit.USER_CAN_MEND)
    except (KeyboardInterrupt, typer.Abort):
        note("holotype: interrupted; run the same command again to go on")
        sys.exit(Exit.USER_CAN_MEND)
    except Exception as reason:  # noqa: BLE001 - the outermost frame: usage errors, then our faults
        sys.exit(_unexpected(reason))
    sys.exit(_printed(result))


def _unexpected(reason: Exception) -> int:
    """Returns the exit code of anything else: a usage error, a full disk, or a fault of ours."""
    if hasattr(reason, "show") and hasattr(reason, "exit_code"):
        reason.show()
        return Exit.USER_CAN_MEND
    if isinstance(reason, OSError):
        note(f"holotype: {reason}")
        return Exit.USER_CAN_MEND
    import traceback

    traceback.print_exc()
    note("holotype: this is our fault, not yours. Please report the lines above.")
    return Exit.OUR_FAULT


def _printed(result: Any) -> int:
    """Prints a command's result and returns its exit code."""
    if not isinstance(result, Result):
        return int(result or 0)
    if os.environ.get("LOCAL_RANK", "0") != "0":
        return Exit.DONE  # one of several training processes: the first one prints
    content = asdict(result.report)
    if result.as_json:
        sys.stdout.write(json.dumps(content, ensure_ascii=False, default=str) + "\n")
    else:
        sys.stdout.write(result.text.rstrip("\n") + "\n")
    if result.to_mend:
        return Exit.USER_CAN_MEND
    return Exit.SOME_FAILED if result.failures else Exit.DONE
