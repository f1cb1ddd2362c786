"""The local server: the page, its stream, and the files dropped on it. Loopback only.

Requests must name a loopback host, and come from the page itself where they say where from: so no other site that is open
in the browser can reach it, whatever name it gives to this machine. Nothing is changed by a GET.
"""

import asyncio
import contextlib
import ipaddress
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI, Query, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from insonate import __version__
from insonate.app.examination import PATIENT, Examination
from insonate.app.leading import Leading
from insonate.app.messages import (
    Hello,
    Patient,
    ProcedureName,
    RecordingName,
    Reference,
    RegionName,
    ReportNow,
)
from insonate.app.stream import Viewer
from insonate.core import InputError, InsonateError, OutputError
from insonate.core.units import Meters
from insonate.devices.grabber import LEAST_SIDE, MOST_SIDE, Grabber
from insonate.formats.still import png
from insonate.guidance.reference_values import REVIEW, WHO, reference_values
from insonate.pipeline.catalog import SOURCES
from insonate.pipeline.clip import write_clip
from insonate.pipeline.patients import Choice, listed
from insonate.pipeline.recording_page import recording_page
from insonate.pipeline.still import still

MOST_UPLOAD = 512 << 20
"""Largest file that is taken [bytes]."""

MOST_WORDS = 1 << 16
"""Largest body of any other request [bytes]."""

SWITCHES = 1e-4
"""How long a thread keeps the interpreter from another that wants it: a fiftieth of Python's own, for those that leave it
to compute, many times a frame, would each wait so long to have it back [s]."""

TAKES_FILES, TAKES_FRAMES = "/api/files", "/api/grabber/frame"

PORTS = 20
"""Ports that are tried, from the one asked for."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load: its own files, and nothing from elsewhere."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class DepthSupplied(BaseModel):
    """The depth that the picture shows."""

    model_config = ConfigDict(extra="forbid", strict=True)

    depth_cm: Annotated[float, Field(gt=0, le=40, allow_inf_nan=False)]


class GrabberBegun(BaseModel):
    """A screen is grabbed, in frames of this size, already cropped to the echoes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=80)]
    rows: Annotated[int, Field(ge=LEAST_SIDE, le=MOST_SIDE)]
    columns: Annotated[int, Field(ge=LEAST_SIDE, le=MOST_SIDE)]
    spacing_mm: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] | None = None
    """Of a pixel, the same in both directions, as the ruler on the screen was marked; None where it was not."""


class RecordingWanted(BaseModel):
    """Whether what is shown is to be recorded."""

    model_config = ConfigDict(extra="forbid", strict=True)

    on: bool


class RecordingChosen(BaseModel):
    """One recording."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(max_length=200)]


class RecordingRenamed(RecordingChosen):
    """One recording, and what it is to be called."""

    to: Annotated[str, Field(max_length=200)]


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine alone.

    Parameters
    ----------
    host : str
        Name or address, without port.

    Returns
    -------
    bool
        True for localhost, 127.0.0.0/8 and ::1.
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _host_of(address: str) -> str:
    """Give the host of a Host header."""
    return urlsplit(f"//{address}").hostname or ""


def comes_from_here(host: str | None, origin: str | None) -> bool:
    """Whether a request names this machine, and its page as where it comes from.

    Parameters
    ----------
    host : str or None
        The Host header.
    origin : str or None
        The Origin header; None where the client sends none, as programs do.

    Returns
    -------
    bool
        False for any other host, and for any other origin.
    """
    try:
        if host is None or not is_loopback(_host_of(host)):
            return False
        if origin is None:
            return True
        place = urlsplit(origin)
    except ValueError:  # an address that is none, such as "["
        return False
    return place.scheme in ("http", "https") and place.netloc.lower() == host.lower()


def create_app(examination: Examination, *, begin: Callable[[], None] | None = None) -> FastAPI:
    """Make the web application.

    Parameters
    ----------
    examination : Examination
        What is shown.
    begin : callable, optional
        Called in a thread once the server runs, to give the examination its first source.

    Returns
    -------
    fastapi.FastAPI
        With the page, if it was built.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        starting = asyncio.create_task(asyncio.to_thread(examination.begin, begin)) if begin else None
        yield
        if starting is not None:
            await starting
        leading.stop()
        await asyncio.to_thread(examination.stop)

    app = FastAPI(title="Insonate", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    watching: set[Viewer] = set()
    leading = Leading(examination)

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if not comes_from_here(request.headers.get("host"), request.headers.get("origin")):
            response: Response = _refused("this server answers its own page on this machine only", 403)
        elif request.url.path not in (TAKES_FILES, TAKES_FRAMES) and _claimed(request) > MOST_WORDS:
            response = _refused(f"a request may have at most {MOST_WORDS >> 10} KB", 413)
        else:
            response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(InsonateError)
    async def explain(_: Request, error: InsonateError) -> JSONResponse:
        return _refused(str(error), 422)

    @app.get("/api/state")
    async def state() -> Hello:
        """Say what is shown and what can be set."""
        return examination.hello()

    @app.get("/api/procedures")
    async def list_procedures() -> list[ProcedureName]:
        """List the procedures there are."""
        return examination.hello().procedures

    @app.get("/api/references")
    async def list_references() -> list[Reference]:
        """List how large structures are, to be read beside what is measured."""
        return [
            Reference(
                structure=one.structure,
                measure=one.measure,
                words=one.words,
                who=WHO,
                source=one.source,
                evidence=one.evidence,
                review=REVIEW,
            )
            for one in reference_values()
        ]

    @app.exception_handler(RequestValidationError)
    async def correct(_: Request, error: RequestValidationError) -> JSONResponse:
        # In our own words: the framework's would repeat what came, and break on what is no text or no number.
        faults = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
        return _refused("; ".join(faults), 422)

    @app.exception_handler(HTTPException)
    async def say(_: Request, error: HTTPException) -> JSONResponse:
        return _refused(error.detail, error.status_code)

    @app.exception_handler(Exception)
    async def admit(_: Request, error: Exception) -> JSONResponse:
        response = _refused(f"a fault of ours, {type(error).__name__}", 500)
        response.headers.update(HEADERS)
        return response

    @app.post(TAKES_FILES, status_code=201)
    async def take_file(request: Request, name: Annotated[str, Query(min_length=1, max_length=200)]) -> Hello:
        """Take a file as the request's body, and show it."""
        if _claimed(request) > MOST_UPLOAD:
            return _refused(f"a file may have at most {MOST_UPLOAD >> 20} MB", 413)  # type: ignore[return-value]
        clean = "".join(letter for letter in Path(name).name if letter.isprintable())[-80:] or "file"
        with tempfile.TemporaryDirectory(prefix="insonate-") as room:
            path = Path(room) / f"upload{Path(clean).suffix[:12]}"
            try:
                if not await _saved(request, path):
                    return _refused(f"a file may have at most {MOST_UPLOAD >> 20} MB", 413)  # type: ignore[return-value]
            except ClientDisconnect:
                return _refused("the file was not sent whole", 400)  # type: ignore[return-value]
            except OSError as error:
                return _refused(f"{clean} cannot be kept: {error.strerror}", 507)  # type: ignore[return-value]
            try:
                await asyncio.to_thread(examination.show_file, path, clean)
            except InputError as error:
                raise InputError(str(error).replace(path.name, clean)) from error
        return examination.hello()

    @app.post("/api/depth")
    async def take_depth(supplied: DepthSupplied) -> Hello:
        """Take the depth that the picture shows, where its file does not say its spacing."""
        await asyncio.to_thread(examination.supply_depth, supplied.depth_cm / 100)
        return examination.hello()

    @app.get("/api/regions")
    async def list_regions() -> list[RegionName]:
        """List the regions of the simulated patient, with what can be chosen in each."""
        return [RegionName(**one) for one in listed()]

    @app.post("/api/simulated")
    async def show_simulated(patient: Patient | None = None) -> Hello:
        """Show a simulated patient, the one shown last where none is told."""
        choice = None if patient is None else Choice(**patient.model_dump())
        await asyncio.to_thread(examination.show_patient, choice)
        return examination.hello()

    @app.post("/api/grabber")
    async def grab(begun: GrabberBegun) -> Hello:
        """Show the screen of a real machine, whose frames the page puts in one by one."""
        spacing = None if begun.spacing_mm is None else (begun.spacing_mm / 1e3,) * 2
        clean = "".join(letter for letter in begun.name if letter.isprintable()) or "grabber"
        grabber = Grabber(f"my machine, {clean}", begun.rows, begun.columns, spacing=spacing)
        await asyncio.to_thread(examination.show_grabber, grabber)
        return examination.hello()

    @app.post(TAKES_FRAMES, status_code=204)
    async def take_frame(request: Request, stream: Annotated[int, Query(ge=0, le=2**31)]) -> Response:
        """Take one frame of the screen that is shown, as the request's body: grey of 8 bits, row after row."""
        source = examination.live.source if examination.live is not None else None
        if not isinstance(source, Grabber) or examination.stream != stream:
            return _refused("another source is shown: the screen is grabbed no more", 409)
        if _claimed(request) > MOST_SIDE * MOST_SIDE:
            return _refused(f"a frame may have at most {MOST_SIDE} x {MOST_SIDE} pixels", 413)
        pixels = bytearray()
        try:
            async for chunk in request.stream():
                pixels += chunk
                if len(pixels) > MOST_SIDE * MOST_SIDE:
                    return _refused(f"a frame may have at most {MOST_SIDE} x {MOST_SIDE} pixels", 413)
        except ClientDisconnect:
            return _refused("the frame was not sent whole", 400)
        source.put(bytes(pixels))
        return Response(status_code=204)

    @app.post("/api/recording")
    async def record(wanted: RecordingWanted) -> Hello:
        """Begin to record what is shown, or end it."""
        await asyncio.to_thread(examination.record, wanted.on)
        return examination.hello()

    @app.get("/api/recordings")
    async def list_recordings() -> list[RecordingName]:
        """List the recordings that were kept, newest first."""
        return [
            RecordingName(
                name=one.name,
                source=str(one.begin.get("source", "unknown")),
                began=one.begin.get("began"),
                size=one.size,
                simulated=bool(one.begin.get("simulated", False)),
            )
            for one in await asyncio.to_thread(examination.library.entries)
        ]

    @app.post("/api/recordings/show")
    async def show_recording(chosen: RecordingChosen) -> Hello:
        """Show a recording."""
        await asyncio.to_thread(examination.show_recording, chosen.name)
        return examination.hello()

    @app.post("/api/recordings/rename")
    async def rename_recording(renamed: RecordingRenamed) -> list[RecordingName]:
        """Give a recording another name."""
        await asyncio.to_thread(examination.library.rename, renamed.name, renamed.to)
        return await list_recordings()

    @app.post("/api/recordings/delete")
    async def delete_recording(chosen: RecordingChosen) -> list[RecordingName]:
        """Delete a recording, for good."""
        await asyncio.to_thread(examination.library.delete, chosen.name)
        return await list_recordings()

    @app.get("/api/recordings/clip")
    async def recording_clip(name: Annotated[str, Query(min_length=1, max_length=200)]) -> Response:
        """Give a recording as a clip."""
        path = examination.library.path(name)
        with tempfile.TemporaryDirectory(prefix="insonate-") as room:
            out = Path(room) / "clip.mp4"
            await asyncio.to_thread(write_clip, path, out)
            return Response(await asyncio.to_thread(out.read_bytes), media_type="video/mp4")

    @app.get("/api/recordings/report")
    async def recording_report(name: Annotated[str, Query(min_length=1, max_length=200)]) -> Response:
        """Give a recording as a page that tells what stood and what was known."""
        path = examination.library.path(name)
        text = await asyncio.to_thread(recording_page, path)
        return Response(text, media_type="text/html; charset=utf-8")

    @app.get("/api/still")
    async def still_now() -> Response:
        """Give what is shown now as a picture, with its labels and what it is of."""
        live = examination.live
        if live is None:
            raise InputError("nothing is shown yet")
        pixels = await asyncio.to_thread(still, live)
        return Response(await asyncio.to_thread(png, pixels), media_type="image/png")

    @app.get("/api/block")
    async def block() -> dict[str, Any]:
        """Give the simulated examination so far as one small file: seed, settings and every command."""
        return await asyncio.to_thread(examination.block)

    @app.get("/api/report")
    async def report() -> ReportNow:
        """Say how far the look back upon the newest guided block is, and what it found."""
        return leading.report()

    @app.get("/api/report/page")
    async def report_page() -> Response:
        """Give that look back as a page of its own."""
        return Response(leading.reporting.page(), media_type="text/html; charset=utf-8")

    @app.websocket("/stream")
    async def stream(socket: WebSocket) -> None:
        if not comes_from_here(socket.headers.get("host"), socket.headers.get("origin")):
            await socket.close(code=1008, reason="this server answers its own page on this machine only")
            return
        await socket.accept()
        await Viewer(socket, leading, watching).run()

    page = files("insonate.app") / "static"
    if (page / "index.html").is_file():
        app.mount("/", StaticFiles(directory=str(page), html=True), name="page")
    return app


def _claimed(request: Request) -> int:
    """Give how many bytes a request says it has; 0 where it does not say."""
    claimed = request.headers.get("content-length", "")
    return int(claimed) if claimed.isascii() and claimed.isdigit() else 0


def _refused(reason: str, status: int) -> JSONResponse:
    text = reason.encode(errors="replace").decode()  # what a request or a file is called need not be text
    return JSONResponse({"error": text}, status_code=status)


async def _saved(request: Request, path: Path) -> bool:
    """Write a request's body to a file; False if it grows too large."""
    size = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MOST_UPLOAD:
                return False
            await asyncio.to_thread(file.write, chunk)
    return True


def listen(host: str, port: int) -> socket.socket:
    """Open the first free port on a loopback address.

    Parameters
    ----------
    host : str
        Loopback name or address.
    port : int
        The first to try; 0 for any.

    Returns
    -------
    socket.socket
        Bound.

    Raises
    ------
    InputError
        If the address is not loopback, or the port is no port.
    OutputError
        If none of the ports is free.
    """
    if not is_loopback(host):
        raise InputError(
            f"host must be a loopback address such as 127.0.0.1, got {host!r}: the page has no sign-in yet, so pictures of "
            "patients would be open to anybody on that network"
        )
    if not 0 <= port <= 65535:
        raise InputError(f"port must lie in 0..65535, got {port}")
    address = "127.0.0.1" if host.lower() == "localhost" else host.strip("[]")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for candidate in range(port, min(port + PORTS, 65536) if port else 1):
        opened = socket.socket(family, socket.SOCK_STREAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((address, candidate))
        except OSError:
            opened.close()
            continue
        return opened
    last = min(port + PORTS - 1, 65535) if port else 0
    raise OutputError(f"no free port from {port} to {last} on {host}")


def settings(app: FastAPI) -> uvicorn.Config:
    """Give how the application is served: messages are not compressed, which would cost ten times the processor."""
    return uvicorn.Config(
        app, log_level="warning", ws_per_message_deflate=False, ws_max_size=1 << 16, lifespan="on"
    )


def _beginning(
    examination: Examination,
    source: str | None,
    choice: Choice | None,
    spacing: tuple[Meters, Meters] | None,
) -> Callable[[], None] | None:
    """Show a file at once, so that one that cannot be read is told; give what is to be begun once the server runs."""
    live = source is None or (source in SOURCES.names() and not Path(source).exists())
    if choice is not None and not (live and source in (None, PATIENT)):
        raise InputError(
            f"a region, seed, variant, pathology, window or operator is for '{PATIENT}', got {source!r}"
        )
    if not live:
        path = Path(str(source))
        examination.show_file(path, path.name, spacing)
        return None
    if spacing is not None:
        raise InputError("--spacing is for a file that does not say its own, not for a live source")
    if source in (None, PATIENT):
        return partial(examination.show_patient, choice)
    return partial(examination.show_source, str(source))


def serve(
    source: str | None = None,
    *,
    choice: Choice | None = None,
    host: str = "127.0.0.1",
    port: int = 8787,
    open_browser: bool = True,
    procedure: str | None = None,
    spacing: tuple[Meters, Meters] | None = None,
) -> None:
    """Serve the page until interrupted.

    Parameters
    ----------
    source : str, optional
        File to show, or name of a live source; the simulated patient by default.
    choice : Choice, optional
        Which simulated patient.
    host : str
        Loopback name or address.
    port : int
        The first to try.
    open_browser : bool
        Whether to open the page.
    procedure : str, optional
        Id of the procedure to begin with.
    spacing : (float, float), optional
        Between rows and columns, where the file does not say [m].

    Raises
    ------
    InputError
        If the address is not loopback, or the file or procedure cannot be used.
    OutputError
        If no port is free, or the page was not built.
    """
    with contextlib.ExitStack() as unless_all_is_well:
        opened = unless_all_is_well.enter_context(listen(host, port))
        if not (files("insonate.app") / "static" / "index.html").is_file():
            raise OutputError("the page is not built: run make run (or make page) in the checkout")
        examination = Examination(procedure)
        begin = _beginning(examination, source, choice, spacing)
        unless_all_is_well.pop_all()
    app = create_app(examination, begin=begin)
    number = opened.getsockname()[1]
    name = f"[{host.strip('[]')}]" if ":" in host else host
    address = f"http://{name}:{number}/"
    print(f"Insonate is open at {address} (this machine only; Ctrl+C ends it)", flush=True)  # noqa: T201
    if open_browser:
        threading.Timer(0.8, webbrowser.open, args=(address,)).start()
    sys.setswitchinterval(SWITCHES)
    server = uvicorn.Server(settings(app))
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[opened])
