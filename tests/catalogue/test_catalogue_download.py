"""Downloads from a host that cuts, lies, throttles, redirects, and changes its mind."""

import gzip
import hashlib
import io
import socket
import tarfile
from datetime import UTC, datetime, timedelta

import pytest
from hostile_host import always, cut, good, in_turn, page, send, slow, status

from holotype.catalogue import web
from holotype.catalogue.content import Expectation, examined, not_the_file
from holotype.catalogue.download import download_file, fixed_address
from holotype.catalogue.web import Trouble, WebTrouble, asked, is_private, quoted, retry_after_s
from holotype.catalogue.web_settings import Downgrade, WebSettings
from holotype.errors import SourceError


def fetch(urls, path, settings, **more):
    addresses = [fixed_address(url) for url in ([urls] if isinstance(urls, str) else urls)]
    return download_file(addresses, path, settings=settings, **more)


def left_over(path):
    return sorted(found.name for found in path.parent.iterdir())


def test_a_file_comes_whole_and_is_named_last(hostile, archive, quick, tmp_path):
    path = tmp_path / "a.zip"
    got = fetch(hostile.at("/a.zip", good(archive)), path, quick)
    assert path.read_bytes() == archive
    assert got.sha256 == hashlib.sha256(archive).hexdigest()
    assert (got.bytes, got.etag, got.verified) == (len(archive), '"1"', ("size", "ending"))
    assert left_over(path) == ["a.zip"]
    (headers,) = hostile.gets("/a.zip")
    assert headers["user-agent"].startswith("holotype/")
    assert headers["accept-encoding"] == "identity"


def test_a_cut_connection_is_gone_on_with(hostile, archive, quick, waits, tmp_path):
    url = hostile.at("/a.zip", cut(archive, 9_000, times=3))
    fetch(url, tmp_path / "a.zip", quick)
    assert (tmp_path / "a.zip").read_bytes() == archive
    sent = [(row.get("range"), row.get("if-range")) for row in hostile.gets("/a.zip")]
    # Each attempt got 9,000 bytes further, so patience never ran out although three attempts is its limit.
    assert sent == [
        (None, None), ("bytes=9000-", '"1"'), ("bytes=18000-", '"1"'), ("bytes=27000-", '"1"'),
    ]  # fmt: skip
    assert len(waits.slept) == 3


def test_an_interrupted_run_is_gone_on_with(hostile, archive, quick, tmp_path):
    def interrupt(_):
        raise KeyboardInterrupt

    url = hostile.at("/a.zip", cut(archive, 9_000))
    with pytest.raises(KeyboardInterrupt):
        fetch(url, tmp_path / "a.zip", WebSettings(sleep=interrupt))
    assert left_over(tmp_path / "a.zip") == ["a.zip.part", "a.zip.part.json"]
    assert fetch(url, tmp_path / "a.zip", quick).bytes == len(archive)
    assert hostile.gets("/a.zip")[1]["range"] == "bytes=9000-"


def test_a_host_that_ignores_ranges_starts_again(hostile, archive, quick, tmp_path):
    whole = always(200, archive, etag='"1"')
    url = hostile.at("/a.zip", cut(archive, 9_000, then=whole))
    fetch(url, tmp_path / "a.zip", quick)
    assert (tmp_path / "a.zip").read_bytes() == archive


@pytest.mark.parametrize("etag", [None, 'W/"1"'], ids=["no mark", "weak mark"])
def test_without_a_strong_mark_nothing_is_resumed(hostile, archive, quick, tmp_path, etag):
    (tmp_path / "a.zip.part").write_bytes(b"x" * 500)
    halves = in_turn(
        always(200, archive[:5000], content_length=len(archive), etag=etag),
        good(archive, etag=etag),
    )
    fetch(hostile.at("/a.zip", halves), tmp_path / "a.zip", quick)
    assert (tmp_path / "a.zip").read_bytes() == archive
    assert [row.get("range") for row in hostile.gets("/a.zip")] == [None, None]


def test_another_version_is_never_joined_to_a_part(hostile, archive, quick, tmp_path):
    newer = archive[:-22].replace(b"Copepoda", b"Cladocer") + archive[-22:]
    url = hostile.at("/a.zip", cut(archive, 9_000, then=good(newer, etag='"2"')))
    got = fetch(url, tmp_path / "a.zip", quick, expected=Expectation(bytes=len(newer)))
    assert (tmp_path / "a.zip").read_bytes() == newer
    assert got.etag == '"2"'


# A name without an ending that can be looked at: nothing but the marks keeps these apart.
PLAIN = bytes(range(256)) * 80


def test_a_part_of_another_version_is_refused_even_if_the_host_sends_it(hostile, quick, tmp_path):
    end = len(PLAIN) - 1
    ignores_if_range = always(
        206, b"z" * (len(PLAIN) - 9000), etag='"2"', content_range=f"bytes 9000-{end}/{len(PLAIN)}"
    )
    turns = cut(PLAIN, 9_000, then=in_turn(ignores_if_range, good(PLAIN)))
    fetch(hostile.at("/a.bin", turns), tmp_path / "a.bin", quick)
    assert (tmp_path / "a.bin").read_bytes() == PLAIN
    assert [row.get("range") for row in hostile.gets("/a.bin")] == [None, "bytes=9000-", None]


@pytest.mark.parametrize(
    "written",
    ["bytes 0-20479/20480", "bytes 8999-20479/20480", "bytes 9000-20479/999999", "lines", None],
)
def test_a_content_range_that_lies_is_not_joined(hostile, quick, tmp_path, written):
    liar = always(206, PLAIN, etag='"1"', content_range=written)
    turns = cut(PLAIN, 9_000, then=in_turn(liar, good(PLAIN)))
    fetch(hostile.at("/a.bin", turns), tmp_path / "a.bin", quick)
    assert (tmp_path / "a.bin").read_bytes() == PLAIN
    assert len(hostile.gets("/a.bin")) == 3


def test_a_part_from_one_mirror_is_not_gone_on_with_at_another(hostile, quick, tmp_path):
    other = PLAIN[::-1]
    urls = [
        hostile.at("/1.bin", cut(PLAIN, 9_000, then=status(404))),
        hostile.at("/2.bin", good(other, etag='"1"')),
    ]
    fetch(urls, tmp_path / "a.bin", quick)
    assert (tmp_path / "a.bin").read_bytes() == other
    assert hostile.gets("/2.bin")[0].get("range") is None


def test_a_part_that_is_whole_already_is_taken(hostile, archive, quick, tmp_path):
    def interrupt(_):
        raise KeyboardInterrupt

    url = hostile.at("/a.zip", cut(archive, 9_000))
    with pytest.raises(KeyboardInterrupt):
        fetch(url, tmp_path / "a.zip", WebSettings(sleep=interrupt))
    (tmp_path / "a.zip.part").write_bytes(archive)  # the process died before renaming
    hostile.at("/a.zip", good(archive))
    fetch(url, tmp_path / "a.zip", quick)
    assert (tmp_path / "a.zip").read_bytes() == archive


def test_a_416_of_a_changed_file_starts_again(hostile, archive, quick, tmp_path):
    changed = status(416, content_range="bytes */17")
    url = hostile.at("/a.zip", cut(archive, 9_000, then=in_turn(changed, good(archive))))
    fetch(url, tmp_path / "a.zip", quick)
    assert (tmp_path / "a.zip").read_bytes() == archive


def test_a_length_that_is_too_long_never_passes(hostile, archive, quick, tmp_path):
    lie = always(200, archive, content_length=len(archive) + 7)
    with pytest.raises(SourceError, match=r"ended at [\d,]+ of [\d,]+ bytes \(\d+ attempts\)"):
        fetch(hostile.at("/a.zip", lie), tmp_path / "a.zip", quick)
    assert not (tmp_path / "a.zip").exists()


def test_a_length_that_is_too_short_is_seen_at_the_end_of_the_archive(
    hostile, archive, quick, tmp_path
):
    lie = always(200, archive, content_length=len(archive) - 30)
    with pytest.raises(SourceError, match="cut off or damaged"):
        fetch(hostile.at("/a.zip", lie), tmp_path / "a.zip", quick)
    assert left_over(tmp_path / "a.zip") == []


@pytest.mark.parametrize(
    "answer",
    [page(), page(content_type="application/zip"), page("Not a zip", content_type="text/plain")],
    ids=["page", "page called zip", "text"],
)
def test_a_page_is_not_taken_for_an_archive(hostile, archive, quick, tmp_path, answer):
    first, second = hostile.at("/a.zip", answer), hostile.at("/b.zip", good(archive))
    with pytest.raises(SourceError, match=r"web page|does not begin as a \.zip"):
        fetch(first, tmp_path / "a.zip", quick)
    got = fetch([first, second], tmp_path / "a.zip", quick)
    assert got.identity == second
    assert len(hostile.gets("/a.zip")) == 2  # no second try of what will not change


def test_an_archive_that_is_called_a_page_is_taken(hostile, archive, quick, tmp_path):
    url = hostile.at("/a.zip", good(archive, content_type="text/html"))
    assert fetch(url, tmp_path / "a.zip", quick).bytes == len(archive)


def test_a_body_that_is_packed_on_the_way_is_not_stored_as_it_is(hostile, quick, tmp_path):
    packed = gzip.compress(b"id\tname\n")
    url = hostile.at("/a.tsv", always(200, packed, content_encoding="gzip"))
    with pytest.raises(SourceError, match=r"packs it \(gzip\)"):
        fetch(url, tmp_path / "a.tsv", quick)
    assert fetch(url, tmp_path / "a.tsv.gz", quick).bytes == len(packed)


def test_the_next_mirror_is_asked_when_one_is_gone(hostile, archive, quick, waits, tmp_path):
    urls = [
        hostile.at("/1.zip", status(404)),
        hostile.at("/2.zip", status(410)),
        hostile.at("/3.zip", status(403)),
        hostile.at("/4.zip", good(archive)),
    ]
    assert fetch(urls, tmp_path / "a.zip", quick).identity == urls[3]
    assert waits.slept == []
    with pytest.raises(SourceError, match=r"404 Not Found.*410 Gone.*403 Forbidden"):
        fetch(urls[:3], tmp_path / "b.zip", quick)


def test_a_busy_host_is_waited_for_as_long_as_it_asks(hostile, archive, quick, waits, tmp_path):
    moment = (datetime.now(UTC) + timedelta(seconds=100)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    turns = in_turn(
        status(429, retry_after="7"), status(503, retry_after=moment), status(202), good(archive)
    )
    fetch(hostile.at("/a.zip", turns), tmp_path / "a.zip", WebSettings(attempts=4, sleep=waits))
    assert waits.slept[0] == 7
    assert 97 <= waits.slept[1] <= 100
    assert 3 <= waits.slept[2] <= 5  # 1 s doubled twice, give or take a quarter


def test_a_host_that_asks_for_too_long_a_wait_is_given_up(hostile, quick, waits, tmp_path):
    url = hostile.at("/a.zip", status(429, retry_after="86400"))
    with pytest.raises(SourceError, match="asks to wait 86,400 s"):
        fetch(url, tmp_path / "a.zip", quick)
    assert waits.slept == []


def test_waits_grow_are_bounded_and_repeat_with_the_seed(hostile, tmp_path):
    def slept(seed):
        waits = []
        settings = WebSettings(
            attempts=7, first_wait_s=1, longest_wait_s=8, seed=seed, sleep=waits.append
        )
        with pytest.raises(SourceError, match="7 attempts"):
            fetch(hostile.at("/a.zip", status(500)), tmp_path / "a.zip", settings)
        return waits

    first = slept(1)
    assert first == slept(1) != slept(2)
    assert len(first) == 6
    for number, wait in enumerate(first):
        assert 0.75 * min(2**number, 8) <= wait <= min(1.25 * 2**number, 8)


def test_a_stalled_connection_is_given_up_and_gone_on_with(hostile, archive, quick, tmp_path):
    url = hostile.at("/a.zip", in_turn(slow(archive, 4, 0.0, stop_after=2), slow(archive, 4, 0.0)))
    fetch(url, tmp_path / "a.zip", quick)
    assert (tmp_path / "a.zip").read_bytes() == archive
    assert int(hostile.gets("/a.zip")[1]["range"][6:-1]) == 2 * -(-len(archive) // 4)


def test_a_slow_connection_is_not_a_stalled_one(hostile, archive, quick, tmp_path):
    url = hostile.at("/a.zip", slow(archive, 5, 0.12))  # 0.6 s in all, 0.4 s of patience
    fetch(url, tmp_path / "a.zip", quick)
    assert len(hostile.gets("/a.zip")) == 1


def test_checksums_are_compared(hostile, archive, quick, tmp_path):
    right = Expectation(len(archive), hashlib.sha256(archive).hexdigest())
    wrong = hostile.at("/a.zip", good(archive[:-1] + b"!"))
    with pytest.raises(SourceError, match="not the file: sha256 is"):
        fetch(wrong, tmp_path / "a.zip", quick, expected=right)
    assert left_over(tmp_path / "a.zip") == []
    mirror = hostile.at("/b.zip", good(archive))
    got = fetch([wrong, mirror], tmp_path / "a.zip", quick, expected=right)
    assert (got.identity, got.verified) == (mirror, ("size", "sha256"))
    md5 = Expectation(md5=hashlib.md5(archive, usedforsecurity=False).hexdigest())
    assert "md5" in fetch(mirror, tmp_path / "c.zip", quick, expected=md5).verified


def test_a_size_that_the_catalogue_denies_is_not_fetched(hostile, archive, quick, tmp_path):
    url = hostile.at("/a.zip", good(archive))
    with pytest.raises(SourceError, match=r"announces [\d,]+ bytes, the catalogue says 12"):
        fetch(url, tmp_path / "a.zip", quick, expected=Expectation(bytes=12))


def test_a_gzip_without_length_is_read_to_its_end(hostile, quick, tmp_path):
    packed = gzip.compress(b"ACGT" * 5000)
    whole = always(200, packed, content_length=None)
    short = always(200, packed[:-9], content_length=None)
    got = fetch(hostile.at("/a.fasta.gz", whole), tmp_path / "a.fasta.gz", quick)
    assert got.verified == ("ending",)
    with pytest.raises(SourceError, match="cut off or damaged"):
        fetch(hostile.at("/b.fasta.gz", short), tmp_path / "b.fasta.gz", quick)


def test_the_end_of_a_tar_and_of_a_zip_is_looked_at(archive, tmp_path):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as made:
        member = tarfile.TarInfo("imgs/1.png")
        member.size = 5000
        made.addfile(member, io.BytesIO(b"x" * 5000))
    whole, zipped = content.getvalue(), tmp_path / "b.zip"
    (tmp_path / "a.tar").write_bytes(whole)
    assert examined(tmp_path / "a.tar", Expectation()).verified == ("ending",)
    for length in (len(whole) - 10240 + 1024, 3000):
        (tmp_path / "a.tar").write_bytes(whole[:length])
        assert "tar ends with" in examined(tmp_path / "a.tar", Expectation()).wrong
    # A deposit that is known to be broken: bytes are missing in the middle, the directory is there.
    zipped.write_bytes(archive[:100] + archive[4100:])
    assert "cut off or damaged" in examined(zipped, Expectation()).wrong


def test_the_limit_holds_with_and_without_a_length(hostile, archive, quick, tmp_path):
    told = hostile.at("/a.zip", good(archive))
    untold = hostile.at("/b.zip", always(200, archive, content_length=None))
    for url in (told, untold):
        with pytest.raises(SourceError, match=r"over the limit of 20,000. Raise --max-bytes"):
            fetch(url, tmp_path / "a.zip", quick, max_bytes=20_000)
    assert not (tmp_path / "a.zip").exists()
    assert fetch(untold, tmp_path / "a.zip", quick, max_bytes=len(archive)).bytes == len(archive)


def test_a_full_disk_is_seen_before_anything_comes(hostile, archive, waits, tmp_path):
    greedy = WebSettings(disk_reserve_bytes=1 << 60, sleep=waits)
    with pytest.raises(SourceError, match=r"bytes to come, 0 free in .* Make room"):
        fetch(hostile.at("/a.zip", good(archive)), tmp_path / "a.zip", greedy)


# Redirects ------------------------------------------------------------------------------------------


def to(location, code=302):
    return status(code, location=location)


def test_redirects_are_followed_and_keep_the_range(hostile, archive, quick, tmp_path):
    hostile.at("/end.zip", cut(archive, 9_000))
    hostile.at("/middle", to("/end.zip", 307))
    url = hostile.at("/start", to("middle", 301))
    got = fetch(url, tmp_path / "a.zip", quick)
    assert got.identity == url
    assert [row.get("range") for row in hostile.gets("/end.zip")] == [None, "bytes=9000-"]


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("/start", "in a circle"),
        ("/deeper?1", "more than 8 times"),
        ("file:///etc/hostname", "no http\\(s\\) address"),
        ("ftp://example.org/a.zip", "no http\\(s\\) address"),
        (None, "without saying where to"),
    ],
)
def test_redirects_that_lead_astray_are_refused(hostile, quick, waits, tmp_path, location, told):
    count = iter(range(2, 100))
    hostile.at("/deeper", lambda handler: send(handler, 302, location=f"/deeper?{next(count)}"))
    url = hostile.at("/start", to(location))
    with pytest.raises(SourceError, match=told):
        fetch(url, tmp_path / "a.zip", quick)
    assert waits.slept == []


def test_https_becomes_http_only_when_that_is_asked_for():
    secure, plain = "https://example.org/a", "http://example.org/a"
    with pytest.raises(WebTrouble, match="from https to http"):
        web._next_address(secure, plain, WebSettings())
    assert web._next_address(secure, plain, WebSettings(downgrade=Downgrade.ALLOW)) == plain
    assert web._next_address(plain, secure, WebSettings()) == secure


def test_a_public_host_may_not_redirect_to_a_private_one(hostile, quick, monkeypatch, tmp_path):
    # The server stands for the public host by being its proxy.
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 0))]
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda h, *a, **k: public if h == "public.test" else real(h, *a, **k)
    )
    monkeypatch.setenv("http_proxy", hostile.base)
    monkeypatch.setenv("no_proxy", "")
    for target in ("http://127.0.0.1:1/x", "http://[::1]/x", "http://169.254.169.254/latest"):
        hostile.at("http://public.test/a.zip", to(target))
        with pytest.raises(SourceError, match="redirects to the private address"):
            fetch("http://public.test/a.zip", tmp_path / "a.zip", quick)


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1", True), ("10.2.3.4", True), ("192.168.0.9", True), ("169.254.169.254", True),
        ("::1", True), ("fe80::1", True), ("::ffff:10.0.0.1", True), ("localhost", True),
        ("8.8.8.8", False), ("::ffff:8.8.8.8", False), ("2001:4860:4860::8888", False),
    ],
)  # fmt: skip
def test_private_addresses_are_known(host, private):
    assert is_private(host) is private


# Small parts ----------------------------------------------------------------------------------------


def test_a_host_that_is_not_there_is_not_the_same_as_a_file_that_is_not(hostile, quick):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{listener.getsockname()[1]}/a.zip"
        kinds = []
        for url in (closed, hostile.base + "/none"):
            with pytest.raises(WebTrouble) as caught, asked(url, quick):
                pass
            kinds.append(caught.value.kind)
    assert kinds == [Trouble.CUT, Trouble.GONE]


def test_only_http_is_asked(quick):
    with pytest.raises(WebTrouble, match="no http"), asked("file:///etc/hostname", quick):
        pass


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("120", 120), ("Thu, 01 Jan 2026 00:01:00 GMT", 60), ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
     ("soon", None), (None, None), ("-5", None)],
)  # fmt: skip
def test_retry_after(written, seconds):
    assert retry_after_s(written, datetime(2026, 1, 1, tzinfo=UTC)) == seconds


def test_addresses_are_escaped_once():
    assert quoted("http://h/a b/é%20.zip?x=1&y=%2F") == "http://h/a%20b/%C3%A9%20.zip?x=1&y=%2F"


def test_pages_are_told_from_files():
    assert not_the_file("a.tsv", b"processid\tname\n", "text/plain") is None
    assert not_the_file("a.html", b"<html>", "text/html") is None
    assert not_the_file("a.tsv", b"\n <HTML><body>", "text/plain") is not None
    assert not_the_file("a.tsv", b"<?xml version='1.0'?><html>", None) is not None
    assert not_the_file("a.xml", b"<?xml version='1.0'?><dwc/>", "text/xml") is None
    assert not_the_file("a.gz", b"PK\x03\x04", None) is not None
