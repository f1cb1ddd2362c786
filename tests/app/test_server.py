"""The local server: answers its own page on this machine, takes files, and nothing else from anybody."""

import errno
import io
import socket

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

from app.serving import Client, becomes, page, served, with_sources
from insonate.app import server
from insonate.app.examination import Examination
from insonate.app.server import HEADERS, comes_from_here, create_app, is_loopback, listen
from insonate.core import InputError, OutputError, SetControl
from insonate.pipeline.patients import Choice
from insonate.record.timeline import check
from pipeline.fakes import painted
from refusals import refused


@pytest.fixture(autouse=True)
def _default_source_of_the_tests(monkeypatch):
    with_sources(monkeypatch)


@pytest.fixture
def examination():
    one = Examination("UL03")
    one.show_patient()
    yield one
    one.stop()


@pytest.fixture
def client(examination):
    return Client(create_app(examination))


def png(frame=None):
    """A painted picture as the bytes of a PNG."""
    file = io.BytesIO()
    Picture.fromarray((255 * (painted() if frame is None else frame)).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


# --- who is answered ---


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost", "127.0.0.1", "127.8.9.1", "::1", "[::1]"], ids=lambda host: host
)
def test_this_machine_is_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "0.0.0.0",
        "::",
        "192.168.1.5",
        "10.0.0.1",
        "8.8.8.8",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "127.1",
    ],
)
def test_any_other_is_not(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8787", None),
        ("127.0.0.1:8787", "http://127.0.0.1:8787"),
        ("localhost:8787", "http://LOCALHOST:8787"),
        ("[::1]:8787", "http://[::1]:8787"),
        ("localhost", "https://localhost"),
    ],
)
def test_the_page_itself_is_answered(host, origin):
    assert comes_from_here(host, origin)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (None, None),
        ("", None),
        ("evil.example", None),  # a name that was made to lead here
        ("evil.example:8787", "http://evil.example:8787"),
        ("127.0.0.1:8787", "http://evil.example"),
        ("127.0.0.1:8787", "http://127.0.0.1:9999"),  # another server of this machine
        ("127.0.0.1:8787", "http://127.0.0.1"),
        ("127.0.0.1:8787", "http://localhost:8787"),
        ("127.0.0.1:8787", "null"),
        ("127.0.0.1:8787", ""),
        ("127.0.0.1:8787", "file://127.0.0.1:8787"),
        ("127.0.0.1:8787", "http://["),
        ("[", None),
        ("[::1", "http://[::1"),
    ],
)
def test_nobody_else_is(host, origin):
    assert not comes_from_here(host, origin)


@given(st.text(max_size=40), st.none() | st.text(max_size=40))
def test_no_header_breaks_the_question(host, origin):
    assert comes_from_here(host, origin) in (True, False)


ROUTES = [
    ("GET", "/"),
    ("GET", "/api/state"),
    ("GET", "/api/procedures"),
    ("GET", "/openapi.json"),
    ("GET", "/nothing"),
    ("POST", "/api/files?name=a.png"),
    ("POST", "/api/depth"),
    ("POST", "/api/simulated"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"host": "evil.example"}, {"origin": "null"}]
)
def test_a_stranger_gets_nothing(client, examination, method, path, headers):
    before = (examination.revision, examination.live)
    answer = client.request(method, path, headers=headers, content=png() if method == "POST" else None)
    assert answer.status_code == 403
    assert answer.json() == {"error": "this server answers its own page on this machine only"}
    assert (examination.revision, examination.live) == before


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:{port}", "http://evil.example"),
        ("evil.example", None),
        ("evil.example", "http://evil.example"),
    ],
)
def test_a_stranger_gets_no_stream(examination, host, origin):
    with served(examination) as port, socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        words = [
            "GET /stream HTTP/1.1",
            f"Host: {host.format(port=port)}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            *([f"Origin: {origin}"] if origin else []),
        ]
        line.sendall("\r\n".join([*words, "", ""]).encode())
        assert line.recv(100).startswith(b"HTTP/1.1 403 ")


def test_the_page_gets_its_stream(examination):
    with served(examination) as port:
        with page(port) as one:
            assert one.next()["type"] == "hello"
        with page(port, origin=None) as one:  # a program, which says nothing of where it comes from
            assert one.next()["type"] == "hello"


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_answer_forbids_the_page_to_load_from_elsewhere(client, method, path):
    answer = client.request(method, path)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    assert "access-control-allow-origin" not in answer.headers


# --- what is asked ---


def test_state_is_what_is_shown(client, examination):
    assert client.get("/api/state").json() == examination.hello().model_dump()


def test_procedures_are_listed(client):
    assert [one["id"] for one in client.get("/api/procedures").json()] == [
        *("BU01", "LL01", "LL10", "MU01", "UL01", "UL03", "UL06")
    ]


@pytest.mark.parametrize("path", [path for method, path in ROUTES if method == "POST"])
def test_get_changes_nothing(client, examination, path):
    before = (examination.revision, examination.live)
    assert client.get(path).status_code in (404, 405)
    assert client.request("HEAD", path).status_code in (404, 405)
    assert (examination.revision, examination.live) == before


def test_no_route_changes_anything_by_get():
    app = create_app(Examination())
    reading = {
        "/api/state",
        "/api/procedures",
        "/api/regions",
        "/api/references",
        "/api/recordings",
        "/api/recordings/clip",
        "/api/recordings/report",
        "/api/block",
        "/api/still",
        "/api/report",
        "/api/report/page",
        "/openapi.json",
    }
    for route in app.routes:
        if "GET" in (getattr(route, "methods", None) or ()):
            assert route.path in reading


# --- files ---


def test_a_file_is_taken_read_shown_and_guided(client, examination):
    answer = client.post("/api/files?name=my%20scan.png", content=png())
    assert answer.status_code == 201
    assert (answer.json()["source"], answer.json()["stream"]) == ("my scan.png", 2)
    becomes(lambda: examination.live.seen is not None)
    assert examination.live.seen.guided.plan.target is not None
    assert examination.live.frame.pixels.shape == (240, 300)


def test_nothing_of_a_file_is_left_on_the_disk(client, tmp_path, monkeypatch):
    monkeypatch.setattr(server.tempfile, "tempdir", str(tmp_path))
    assert client.post("/api/files?name=a.png", content=png()).status_code == 201
    assert client.post("/api/files?name=a.png", content=b"words").status_code == 422
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "scan.png: expected an image, clip or channel data, got an empty file"),
        (b"words", "scan.png: not a kind that is read. Expected DICOM"),
        (png()[:500], "scan.png: expected a whole PNG or JPEG, got a damaged or truncated one"),
    ],
    ids=["empty", "words", "truncated"],
)
def test_a_file_that_is_refused_leaves_what_is_shown(client, examination, content, expected):
    before = (examination.revision, examination.live)
    answer = client.post("/api/files?name=scan.png", content=content)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(expected)
    assert "upload" not in answer.json()["error"]  # the name that the user knows
    assert (examination.revision, examination.live) == before
    number = examination.live.frame.number
    becomes(lambda: examination.live.frame.number > number)  # and it runs on


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("%2Fetc%2Fcron.d%2Fx.png", "x.png"),
        ("a%00b.png", "ab.png"),
        ("%2F", "file"),
        ("..", ".."),
        ("x" * 200, "x" * 80),
        ("%F0%9F%A9%BA.png", "🩺.png"),
        ("%FF.png", "\ufffd.png"),
        ("a%0Ab.png", "ab.png"),
    ],
)
def test_a_name_leads_nowhere(client, tmp_path, monkeypatch, name, shown):
    monkeypatch.setattr(server.tempfile, "tempdir", str(tmp_path / "inner"))
    (tmp_path / "inner").mkdir()
    answer = client.post(f"/api/files?name={name}", content=png())
    assert answer.status_code == 201
    assert answer.json()["source"] == shown
    assert [path.name for path in tmp_path.rglob("*")] == ["inner"]


@pytest.mark.parametrize("query", ["", "?name=", "?name=" + "x" * 201])
def test_a_file_must_have_a_name(client, query):
    assert client.post(f"/api/files{query}", content=png()).status_code == 422


def test_a_file_that_claims_to_be_too_large_is_refused_before_it_is_sent(client, examination):
    before = examination.live
    headers = {"content-length": str(server.MOST_UPLOAD + 1)}
    answer = client.post("/api/files?name=a.png", content=b"x", headers=headers)
    assert (answer.status_code, answer.json()) == (413, {"error": "a file may have at most 512 MB"})
    assert examination.live is before


def test_a_file_that_says_nothing_of_its_size_is_cut_off_when_it_grows_too_large(
    client, examination, monkeypatch
):
    monkeypatch.setattr(server, "MOST_UPLOAD", 3 << 20)
    before = examination.live

    async def pieces():
        for _ in range(5):
            yield bytes(1 << 20)

    answer = client.post("/api/files?name=a.png", content=pieces())
    assert (answer.status_code, answer.json()) == (413, {"error": "a file may have at most 3 MB"})
    assert examination.live is before


@pytest.mark.parametrize("claimed", ["²", "-1", "many", "1_000", ""])
def test_a_size_that_is_no_number_is_none(claimed):
    request = server.Request({"type": "http", "headers": [(b"content-length", claimed.encode("latin-1"))]})
    assert server._claimed(request) == 0


def test_a_full_disk_is_told_and_leaves_what_is_shown(client, examination, monkeypatch):
    async def full(request, path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(server, "_saved", full)
    before = examination.live
    answer = client.post("/api/files?name=a.png", content=png())
    assert (answer.status_code, answer.json()) == (
        507,
        {"error": "a.png cannot be kept: No space left on device"},
    )
    assert examination.live is before


def test_a_file_that_is_broken_off_leaves_what_is_shown(examination):
    before = examination.live
    with served(examination) as port:
        with socket.create_connection(("127.0.0.1", port)) as line:
            head = f"POST /api/files?name=a.png HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 100000\r\n\r\n"
            line.sendall(head.encode() + png()[:1000])
        answer = httpx.get(f"http://127.0.0.1:{port}/api/state")
    assert answer.json()["source"] == "steady"
    assert examination.live is before


def test_a_fault_of_ours_is_told_in_one_line(examination, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(examination, "show_file", broken)
    client = Client(create_app(examination), raise_faults=False)
    answer = client.post("/api/files?name=a.png", content=png())
    assert (answer.status_code, answer.json()) == (500, {"error": "a fault of ours, ZeroDivisionError"})
    assert answer.headers["content-security-policy"] == server.POLICY


# --- depth, and the body again ---


def test_a_depth_gives_the_spacing(client):
    client.post("/api/files?name=a.png", content=png())
    answer = client.post("/api/depth", json={"depth_cm": 4.8})
    assert answer.status_code == 200
    assert answer.json()["spacing_known"] is True


@pytest.mark.parametrize("depth", [0, -1, 41, "NaN", "Infinity", None, "deep"])
def test_a_depth_that_cannot_be_is_refused(client, examination, depth):
    client.post("/api/files?name=a.png", content=png())
    before = examination.live
    body = f'{{"depth_cm": {depth if depth not in ("deep", None) else chr(34) + str(depth) + chr(34)}}}'
    answer = client.post("/api/depth", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert examination.live is before


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"depth_cm": 1e999}', "body.depth_cm: Input should be a finite number"),
        (b"\x80", "body: Input should be a valid dictionary or object to extract fields from"),
        (b"{}", "body.depth_cm: Field required"),
        (b'{"depth_cm": 4, "more": 1}', "body.more: Extra inputs are not permitted"),
        (
            b'{"depth_cm": 4, "\\ud800": 1}',
            "body: Input should be a valid string, unable to parse raw data as a unicode string",
        ),
    ],
    ids=["endless", "no text", "nothing", "too much", "no letter"],
)
def test_words_that_were_not_agreed_on_are_refused_in_one_line(client, content, expected):
    kind = {} if content == b"\x80" else {"content-type": "application/json"}
    answer = client.post("/api/depth", content=content, headers=kind)
    assert (answer.status_code, answer.json()) == (422, {"error": expected})


def test_a_depth_is_refused_for_what_has_none(client):
    answer = client.post("/api/depth", json={"depth_cm": 4})
    assert answer.status_code == 422
    assert answer.json()["error"] == "a depth can only be supplied for a picture or clip of unknown spacing"


def test_words_without_end_are_refused(client):
    answer = client.post("/api/depth", content=b"[" * (server.MOST_WORDS + 1))
    assert (answer.status_code, answer.json()) == (413, {"error": "a request may have at most 64 KB"})


def test_the_simulated_body_comes_back(client, examination):
    client.post("/api/files?name=a.png", content=png())
    answer = client.post("/api/simulated")
    assert (answer.json()["source"], answer.json()["simulated"]) == ("steady", True)


def test_another_patient_is_chosen(client, examination):
    regions = {one["region"]: one for one in client.get("/api/regions").json()}
    assert "high_division" in regions["femoral_crease"]["variants"]
    chosen = {"region": "femoral_crease", "seed": 5, "variant": "high_division"}
    answer = client.post("/api/simulated", json=chosen)
    assert answer.status_code == 200
    whole = {"pathologies": [], "window": "crease", "operator": None} | chosen
    assert answer.json()["patient"] == whole
    assert client.post("/api/simulated").json()["patient"] == whole  # the one shown last


def test_a_patient_that_there_is_not_is_refused_and_the_one_shown_goes_on(client, examination):
    before = examination.live
    answer = client.post("/api/simulated", json={"region": "femoral_crease", "variant": "high_divison"})
    assert answer.status_code == 422
    assert answer.json()["error"].endswith("got 'high_divison' (did you mean 'high_division'?)")
    assert client.post("/api/simulated", json={"seed": -1}).status_code == 422
    assert examination.live is before


def test_a_first_source_that_cannot_be_had_is_told_to_the_page():
    def fail():
        raise InputError("femoral_crease (seed 7): 'nerve' lies in 'artery'")

    one = Examination("UL03")
    with served(one, begin=fail) as port, page(port) as viewer:
        status = viewer.message("status")
        assert status["problem"] == "femoral_crease (seed 7): 'nerve' lies in 'artery'"


@pytest.fixture
def kept(tmp_path):
    """A client of an examination whose recordings lie in a folder of the test."""
    one = Examination("UL03", recordings=tmp_path / "recordings")
    one.show_patient()
    yield Client(create_app(one)), one
    one.stop()


def test_what_is_shown_is_recorded_listed_shown_renamed_and_deleted(kept):
    client, examination = kept
    assert client.get("/api/recordings").json() == []
    assert client.post("/api/recording", json={"on": True}).json()["recording"] is True
    number = 0
    for _ in range(8):  # the first may have been shown before the recording began
        number = examination.live.wait(number, 20).number
    becomes(lambda: examination.live.seen is not None)
    assert client.post("/api/recording", json={"on": False}).json()["recording"] is False
    (entry,) = client.get("/api/recordings").json()
    assert (entry["source"], entry["simulated"]) == ("steady", True) and entry["size"] > 5 * 48 * 64
    report = check(examination.library.path(entry["name"]))
    assert report.whole and report.closed and report.begin["procedure"] == "UL03"
    (renamed,) = client.post("/api/recordings/rename", json={"name": entry["name"], "to": "kept"}).json()
    assert renamed["name"] == "kept"
    assert (
        client.post("/api/recordings/show", json={"name": "kept"}).json()["source"] == "recording of steady"
    )
    becomes(lambda: examination.live.frame is not None)
    assert examination.live.frame.pixels.shape == (48, 64)
    clip = client.get("/api/recordings/clip?name=kept")
    assert clip.headers["content-type"] == "video/mp4" and clip.content[4:8] == b"ftyp"
    assert client.get("/api/recordings/clip?name=../kept").status_code == 422
    assert client.post("/api/recordings/delete", json={"name": "kept"}).json() == []
    gone = client.post("/api/recordings/show", json={"name": "kept"})
    assert gone.status_code == 422 and "recording must be one of" in gone.json()["error"]


def test_another_source_ends_the_recording(kept):
    client, examination = kept
    client.post("/api/recording", json={"on": True})
    assert client.post("/api/simulated").json()["recording"] is False
    (entry,) = examination.library.entries()
    assert check(entry.path).closed


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "", ".x", "a" * 201])
def test_no_name_of_a_recording_leaves_its_folder(kept, name):
    client, _ = kept
    for route in ("show", "delete"):
        assert client.post(f"/api/recordings/{route}", json={"name": name}).status_code == 422


def test_an_examination_is_handed_on_as_seed_settings_and_commands(kept):
    client, examination = kept
    examination.live.command(SetControl(name="power", value=3.0, time=0.0, given_by="a test"))
    becomes(lambda: examination.live.source.commands)
    block = client.get("/api/block").json()
    assert (block["simulated"], block["seed"], block["region"]) == (True, 7, "femoral_crease")
    (command,) = block["commands"]
    assert (command["kind"], command["value"]) == ("SetControl", 3.0) and command["time"] < block["seconds"]
    client.post("/api/files?name=one.png", content=png())
    refusal = client.get("/api/block")
    assert (
        refusal.status_code == 422 and "only an examination of a simulated patient" in refusal.json()["error"]
    )


@pytest.mark.parametrize(
    ("source", "choice", "spacing", "message"),
    [
        (
            "moving_body",
            Choice(),
            None,
            "a region, seed, variant, pathology, window or operator is for 'patient', got 'moving_body'",
        ),
        (
            "patient",
            None,
            (1e-4, 1e-4),
            "--spacing is for a file that does not say its own, not for a live source",
        ),
    ],
)
def test_what_does_not_belong_together_is_refused(monkeypatch, tmp_path, source, choice, spacing, message):
    page_of = tmp_path / "static"
    page_of.mkdir()
    (page_of / "index.html").write_text("x")
    monkeypatch.setattr(server, "files", lambda _: tmp_path)
    with refused(InputError, message):
        server.serve(source, port=0, choice=choice, spacing=spacing, open_browser=False)


@given(st.sampled_from(ROUTES), st.binary(max_size=300))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_is_sent_is_answered_without_a_fault(client, route, content):
    answer = client.request(*route, content=content)
    assert answer.status_code < 500


# --- where it listens ---


def test_it_takes_the_next_port_where_one_is_taken():
    with listen("127.0.0.1", 0) as first:
        first.listen()
        port = first.getsockname()[1]
        if port > 65_000:
            pytest.skip("no port after this one")
        with listen("127.0.0.1", port) as second:
            assert port < second.getsockname()[1] < port + server.PORTS
            assert second.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "::", "example.org", ""])
def test_an_address_that_others_reach_is_refused_with_the_reason(host):
    message = (
        f"host must be a loopback address such as 127.0.0.1, got {host!r}: the page has no sign-in yet, so pictures of "
        "patients would be open to anybody on that network"
    )
    with refused(InputError, message):
        listen(host, 0)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_refused(port):
    with refused(InputError, f"port must lie in 0..65535, got {port}"):
        listen("127.0.0.1", port)


@pytest.mark.parametrize(("port", "last"), [(8787, 8806), (65530, 65535), (0, 0)])
def test_where_no_port_is_free_it_says_which_were_tried(monkeypatch, port, last):
    class Taken(socket.socket):
        def bind(self, address):
            raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr(server.socket, "socket", Taken)
    with refused(OutputError, f"no free port from {port} to {last} on localhost"):
        listen("localhost", port)


def test_messages_are_not_compressed_and_not_without_end(examination):
    config = server.settings(create_app(examination))
    assert config.ws_per_message_deflate is False
    assert config.ws_max_size == 1 << 16
    with served(examination) as port, page(port) as one:
        assert one.socket.protocol.extensions == []  # though this client offers it


# --- serve ---


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A page that was built, and a server that only says what it was given."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "index.html").write_text("<!doctype html><title>page</title>")
    monkeypatch.setattr(server, "files", lambda room: tmp_path)
    ran = []

    class Server:
        def __init__(self, config):
            self.config = config

        def run(self, sockets):
            ran.append((self.config, sockets[0].getsockname()))
            sockets[0].close()

    monkeypatch.setattr(server.uvicorn, "Server", Server)
    return ran


def test_it_says_where_it_is_open(built, capsys):
    server.serve(None, port=0, open_browser=False)
    ((config, (host, port)),) = built
    assert host == "127.0.0.1"
    said = f"Insonate is open at http://127.0.0.1:{port}/ (this machine only; Ctrl+C ends it)\n"
    assert capsys.readouterr().out == said
    assert config.ws_per_message_deflate is False


def test_the_page_is_served_with_its_headers(built, examination):
    client = Client(create_app(examination))
    answer = client.get("/")
    assert "<title>page</title>" in answer.text
    assert answer.headers["content-security-policy"] == server.POLICY
    assert client.get("/%2e%2e/%2e%2e/server.py").status_code == 404
    assert client.get("/", headers={"host": "evil.example"}).status_code == 403


def test_it_opens_the_browser_only_if_it_may(built, monkeypatch):
    opened = []
    monkeypatch.setattr(server.webbrowser, "open", opened.append)
    server.serve(None, port=0, open_browser=False)
    server.serve(None, port=0, open_browser=True)
    becomes(lambda: opened)
    (_, (_, port)) = built[1]
    assert opened == [f"http://127.0.0.1:{port}/"]


def test_a_file_that_cannot_be_shown_closes_the_port_again(built, tmp_path):
    gone = tmp_path / "gone.png"
    with pytest.raises(InputError, match="no such file"):
        server.serve(gone, port=0, open_browser=False)
    assert built == []  # an open socket would be told as an error by the interpreter


def test_a_page_that_was_not_built_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(server, "files", lambda room: tmp_path)
    with refused(OutputError, "the page is not built: run make run (or make page) in the checkout"):
        server.serve(None, port=0, open_browser=False)


def test_the_first_source_is_made_while_the_page_opens(monkeypatch):
    examination = Examination("UL03")
    with served(examination, begin=examination.show_patient) as port:
        becomes(lambda: httpx.get(f"http://127.0.0.1:{port}/api/state").json()["source"] == "steady")
        live = examination.live
    assert not any(thread.is_alive() for thread in live._threads)  # and ended with the server
