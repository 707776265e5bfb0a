"""What the server costs beside the model: identify under load against ``holotype predict`` on the same crops.

``holotype serve`` runs in a process of its own, as users start it; this process is 16 clients that ask again
as soon as they are answered, over plain sockets. ``holotype predict`` names the same crops before and after,
without the time it takes to start. Memory is that of the server, all of it (RSS); processor time is told for
both, as it says more than the clock where the machine has other work.

Run: python benchmarks/speed/serve.py [--model starter] [--collection FOLDER] [--seconds 60] [--clients 16]
and once more with --model vit-s-96-random --name serve-vit-s: a tower of the size that the field uses.
"""

import argparse
import asyncio
import itertools
import json
import os
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "quality"))
from machine import machine_line

from holotype.collection.store import open_collection

RESULTS = Path(__file__).parent / "results"
VIT_S = "vit-s-96-random"
CROPS, OFFLINE_CROPS = 512, 4_096
EACH = (1, 8, 32)
"""Crops of a request."""
SIMULATION = (
    "seed = 5\nnum_species = 24\nmedian_specimens_per_species = 40.0\nabundance_sigma = 0.3\n"
    "max_specimens_per_species = 60\n"
)
_ADDRESS = re.compile(r"Holotype is at (http://\S+)")
HOLOTYPE = [sys.executable, "-m", "holotype"]


@dataclass
class Load:
    """What clients saw.

    Attributes:
        each: crops of a request.
        latency_s: of every request.
        rss_mb: of the server, a value every second.
        wrong: replies that were not as they should be.
    """

    each: int
    seconds: float = 0.0
    latency_s: list[float] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)
    wrong: int = 0
    cpu_s: float = 0.0

    def figures(self) -> dict[str, Any]:
        """Returns the figures of the page."""
        p50, p95, p99 = np.percentile(self.latency_s, [50, 95, 99]) * 1_000
        middle = len(self.rss_mb) // 2
        return {
            "crops_per_request": self.each,
            "requests": len(self.latency_s),
            "wrong": self.wrong,
            "seconds": self.seconds,
            "crops_per_s": len(self.latency_s) * self.each / self.seconds,
            "cpu_ms_per_crop": self.cpu_s * 1_000 / (len(self.latency_s) * self.each),
            "latency_ms": {"p50": p50, "p95": p95, "p99": p99, "max": max(self.latency_s) * 1_000},
            "rss_mb": {
                "start": self.rss_mb[0],
                "middle": self.rss_mb[middle],
                "end": self.rss_mb[-1],
                "most": max(self.rss_mb),
            },
        }


def main() -> None:
    """Runs the comparison and writes the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="starter", help=f"or {VIT_S}, or a folder")
    parser.add_argument("--collection", type=Path, help="crops; simulated ones by default")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--name", default="serve", help="of the files of results")
    asked = parser.parse_args()
    busy = os.getloadavg()[1]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        crops = some_crops(asked.collection or simulated(folder))
        model = asked.model
        if model == VIT_S:
            from images import random_vit_s

            model = str(random_vit_s(folder / VIT_S))
        before = offline(model, crops, folder)
        with server(model, folder / "workspace") as (address, process):
            loads = [asyncio.run(under_load(address, process, crops, each, asked)) for each in EACH]
        after = offline(model, crops, folder)
    usual = statistics.mean(one["crops_per_s"] for one in (before, after))
    content = {
        "machine": machine_line(),
        "load_before": busy,
        "model": Path(asked.model).name,
        "crops": "simulated" if asked.collection is None else asked.collection.name,
        "crop_bytes": statistics.mean(map(len, crops)),
        "clients": asked.clients,
        "predict": {"before": before, "after": after},
        "loads": [
            {**load.figures(), "share_of_offline": load.figures()["crops_per_s"] / usual}
            for load in loads
        ],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{asked.name}.json").write_text(json.dumps(content, indent=2) + "\n")
    (RESULTS / f"{asked.name}.md").write_text(page(content))
    print(page(content))


def simulated(folder: Path) -> Path:
    """Returns a collection of simulated crops."""
    import holotype

    settings = folder / "simulation.toml"
    settings.write_text(SIMULATION)
    into = folder / "collection"
    holotype.import_("simulated", [settings], into=into, source="simulated")
    return into


def some_crops(collection: Path) -> list[bytes]:
    """Returns encoded crops, spread over a collection."""
    contents = (content for _, content in open_collection(collection).images() if content)
    found = list(itertools.islice(contents, 20 * CROPS))
    return found[:: max(1, len(found) // CROPS)][:CROPS]


def offline(model: str, crops: Sequence[bytes], folder: Path) -> dict[str, float]:
    """Returns crops a second and processor time a crop of ``holotype predict``, without its start."""
    took, worked = {}, {}
    for count in (1, OFFLINE_CROPS):
        crops_of = folder / f"crops-{count}"
        if not crops_of.is_dir():
            crops_of.mkdir()
            for number, content in zip(range(count), itertools.cycle(crops), strict=False):
                (crops_of / f"{number:05}.png").write_bytes(content)
        started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        words = [
            "predict",
            model,
            str(crops_of),
            "--out",
            str(folder / f"{count}.csv"),
            "--restart",
        ]
        subprocess.run([*HOLOTYPE, *words], check=True, capture_output=True)
        took[count] = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        worked[count] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    more = OFFLINE_CROPS - 1
    return {
        "crops_per_s": more / (took[OFFLINE_CROPS] - took[1]),
        "cpu_ms_per_crop": (worked[OFFLINE_CROPS] - worked[1]) * 1_000 / more,
    }


@contextmanager
def server(model: str, workspace: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Yields the address of a server, and its process."""
    words = ["serve", model, "--workspace", str(workspace), "--port", "0"]
    words += ["--requests-per-minute", "100000000"]
    process = subprocess.Popen([*HOLOTYPE, *words], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        told = next(found for line in process.stderr if (found := _ADDRESS.search(line)))
        draining = threading.Thread(target=process.stderr.read, daemon=True)
        draining.start()
        yield told[1], process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


async def under_load(
    address: str,
    process: subprocess.Popen[str],
    crops: Sequence[bytes],
    each: int,
    asked: argparse.Namespace,
) -> Load:
    """Returns what clients saw that asked for some crops at a time; the first seconds warm up."""
    parts = urlsplit(address)
    assert parts.hostname is not None
    requests = [
        request(crops[at : at + each], parts.netloc) for at in range(0, len(crops) - each + 1, each)
    ]
    warming = Load(each)
    await _all_clients(parts, requests, warming, asked.clients, min(5.0, asked.seconds / 4))
    load = Load(each)
    watching = asyncio.create_task(_watched(process.pid, load))
    started, cpu_before = time.perf_counter(), cpu_s(process.pid)
    await _all_clients(parts, requests, load, asked.clients, asked.seconds)
    load.seconds = time.perf_counter() - started
    load.cpu_s = cpu_s(process.pid) - cpu_before
    watching.cancel()
    return load


async def _all_clients(
    parts: Any, requests: Sequence[bytes], load: Load, clients: int, seconds: float
) -> None:
    until = time.perf_counter() + seconds
    await asyncio.gather(
        *(_client(parts, requests[at:] + requests[:at], load, until) for at in range(clients))
    )


async def _client(parts: Any, requests: Sequence[bytes], load: Load, until: float) -> None:
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 24)
    for content in itertools.cycle(requests):
        started = time.perf_counter()
        if started > until:
            break
        writer.write(content)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
        load.latency_s.append(time.perf_counter() - started)
        answered = head.startswith(b"HTTP/1.1 200") and body.count(b'"decision":') == load.each
        load.wrong += not answered or b'"failed"' in body
    writer.close()


async def _watched(process_id: int, load: Load) -> None:
    while True:
        load.rss_mb.append(rss_mb(process_id))
        await asyncio.sleep(1)


def rss_mb(process_id: int) -> float:
    """Returns the resident memory of a process in MB."""
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_s(process_id: int) -> float:
    """Returns the seconds that processors have worked for a process, all its threads together."""
    told = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def request(crops: Sequence[bytes], host: str) -> bytes:
    """Returns a request that posts crops, ready to send."""
    body = b"".join(
        b'--crop\r\nContent-Disposition: form-data; name="files"; filename="%d.png"\r\n'
        b"Content-Type: image/png\r\n\r\n%s\r\n" % (number, content)
        for number, content in enumerate(crops)
    )
    body += b"--crop--\r\n"
    head = (
        f"POST /api/v1/identify/images HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: multipart/form-data; boundary=crop\r\n\r\n"
    )
    return head.encode() + body


def asked_before(load: float) -> str:
    """Returns how busy the machine was with other things, in words."""
    cores = os.cpu_count() or 1
    quiet = "It was quiet before" if load < cores / 4 else "It had other work too"
    return f"{quiet} (load {load:.1f} on {cores} cores)."


def page(content: dict[str, Any]) -> str:
    """Returns the page of the results."""
    before, after = content["predict"]["before"], content["predict"]["after"]
    crops = f"{content['crops']} ({content['crop_bytes']:,.0f} bytes each)"
    rates = f"{before['crops_per_s']:,.0f} crops/s before, {after['crops_per_s']:,.0f} after"
    work = f"{before['cpu_ms_per_crop']:.2f} and {after['cpu_ms_per_crop']:.2f} ms"
    columns = (
        "crops a request", "requests", "crops/s", "share of predict", "processor, ms a crop", "p50, ms",
        "p95, ms", "p99, ms", "server memory, MB: start, middle, end", "wrong",
    )  # fmt: skip
    lines = [
        "# The server under load",
        "",
        f"Model {content['model']}, crops of {crops}; {content['clients']} clients in another process on the",
        f"same machine, which ask again as soon as they are answered. {asked_before(content['load_before'])}",
        "",
        f"`holotype predict` on the same crops: {rates}; {work} of processor time a crop.",
        "",
        f"| {' | '.join(columns)} |",
        f"| {' | '.join('---' for _ in columns)} |",
    ]
    for load in content["loads"]:
        late, rss = load["latency_ms"], load["rss_mb"]
        cells = (
            load["crops_per_request"], f"{load['requests']:,}", f"{load['crops_per_s']:,.0f}",
            f"{load['share_of_offline']:.0%}", f"{load['cpu_ms_per_crop']:.2f}", f"{late['p50']:,.0f}",
            f"{late['p95']:,.0f}", f"{late['p99']:,.0f}",
            f"{rss['start']:,.0f}, {rss['middle']:,.0f}, {rss['end']:,.0f}", load["wrong"],
        )  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, "", f"Machine: {content['machine']}"]) + "\n"


if __name__ == "__main__":
    main()
