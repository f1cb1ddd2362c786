"""The command line: results on standard output, progress and errors on standard error.

Exit codes: 0 done; 1 a fault of ours; 2 the input or the command cannot be used; 3 a result could not be written;
130 interrupted. Each command imports what it needs when it runs, so that help is quick.
"""

import errno
import json
import math
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from insonate import __version__
from insonate.core.errors import InputError, InsonateError, OutputError

NO_SPACE = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))

OK, FAULT, BAD_INPUT, NOT_WRITTEN, INTERRUPTED = 0, 1, 2, 3, 130

app = typer.Typer(
    name="insonate",
    help="The open ultrasound workstation for pain medicine. Research and education, not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
recordings_app = typer.Typer(
    help="List, check, rename and delete recordings, and write them as clips and reports.",
    rich_markup_mode=None,
)
app.add_typer(recordings_app, name="recordings")
procedures_app = typer.Typer(help="List, show and check the procedures.", rich_markup_mode=None)
app.add_typer(procedures_app, name="procedures")

PathArgument = Annotated[Path, typer.Argument(help="Image, clip or channel data.", show_default=False)]
OutOption = Annotated[
    Path, typer.Option("--out", "-o", help="Folder for the results; made if missing.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable result on standard output.")]
SpacingOption = Annotated[
    str | None,
    typer.Option(
        "--spacing",
        metavar="MM[,MM]",
        help="Distance between rows and between columns in mm, where the file does not say.",
    ),
]
DepthOption = Annotated[
    float | None,
    typer.Option(
        "--depth-cm", help="Depth shown by the picture in cm; gives the spacing where the file does not."
    ),
]
ProcedureOption = Annotated[
    str, typer.Option("--procedure", "-p", help="Id of the procedure, such as UL03.", show_default=False)
]
RegionOption = Annotated[
    str | None,
    typer.Option(
        "--region", help="Of the simulated patient; insonate regions lists them.", show_default=False
    ),
]
VariantOption = Annotated[
    str | None, typer.Option("--variant", help="Course of nerves and vessels.", show_default=False)
]
PathologyOption = Annotated[
    list[str] | None,
    typer.Option("--pathology", help="What ails the patient; may be given again.", show_default=False),
]
WindowOption = Annotated[
    str | None, typer.Option("--window", help="Where the probe is placed.", show_default=False)
]
FrameOption = Annotated[
    int | None,
    typer.Option("--frame", help="Frame to plan on, from 1; by default the one whose target is surest."),
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"insonate {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Hold what every command shares."""


def _say(text: str) -> None:
    """Write one line of information to standard error."""
    typer.echo(text, err=True)


def _emit(result: dict[str, Any] | list[Any]) -> None:
    """Write a machine-readable result to standard output."""
    # ASCII alone: what is no text in the name of a file, or none in the terminal's alphabet, stays valid JSON.
    typer.echo(json.dumps(result, indent=2, allow_nan=False))


def _millimeters(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        parts = [float(part) for part in text.replace("x", ",").split(",")]
    except ValueError:
        parts = []
    if len(parts) not in (1, 2) or not all(1e-4 <= part <= 10 for part in parts):
        raise InputError(
            f"--spacing must be one or two lengths in 0.0001..10 mm, such as 0.07 or 0.07,0.08, got {text!r}"
        )
    return parts[0] / 1e3, parts[-1] / 1e3


def _radians(text: str) -> list[float]:
    try:
        return [math.radians(float(part)) for part in text.split(",")]
    except ValueError:
        raise InputError(
            f"--angles must be degrees with commas between, such as -8,0,8, got {text!r}"
        ) from None


@contextmanager
def _progress(title: str) -> Iterator[Any]:
    """Show a progress bar on standard error, plain lines where a program asks for them, or nothing; gives a callback."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from insonate.app.reporting import TOLD

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bars:
        task = bars.add_task(title, total=1)

        told = bool(os.environ.get(TOLD)) and not console.is_terminal

        def report(done: int, of: int, what: str) -> None:
            bars.update(task, completed=done, total=max(of, 1), description=what)
            if told:
                sys.stderr.write(f"{done} {max(of, 1)} {what}\n")
                sys.stderr.flush()

        yield report


@app.command()
def info(path: PathArgument, as_json: JsonOption = False) -> None:
    """Say what a file holds: kind, frames, size, spacing, times."""
    from insonate.pipeline.reading import open as open_file
    from insonate.pipeline.reading import reader_of
    from insonate.pipeline.summary import summarize

    reader = reader_of(path)
    parts = [summarize(noun) for noun in open_file(path)]
    if as_json:
        _emit({"file": path.name, "reader": reader, "parts": parts})
        return
    typer.echo(f"{path.name}: {reader}, {len(parts)} part{'s' if len(parts) > 1 else ''}")
    for number, part in enumerate(parts, start=1):
        typer.echo(f"  {number}. {part['what']}")
        for key, value in part["facts"].items():
            typer.echo(f"       {key}: {value}")


@app.command()
def image(
    path: PathArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG to write.", show_default=False)],
    frame: Annotated[int, typer.Option(help="Frame, from 1.")] = 1,
    dynamic_range: Annotated[float, typer.Option(help="Decibels shown.")] = 60.0,
    f_number: Annotated[float, typer.Option(help="Depth over active aperture, for channel data.")] = 1.5,
    as_json: JsonOption = False,
) -> None:
    """Make a B-mode picture of one frame."""
    from insonate.pipeline.chain import as_image, picture
    from insonate.pipeline.reading import open as open_file
    from insonate.record.folder import check_picture_name, write_picture

    check_picture_name(out)
    with _progress("reading") as report:
        nouns = open_file(path)
        report(0, 1, "forming the image")
        formed = as_image(nouns[0], dynamic_range=dynamic_range, f_number=f_number, only_frame=frame - 1)
        write_picture(out, picture(formed, dynamic_range=dynamic_range))
    result = {"file": path.name, "out": str(out), "frame": frame, "grid": formed.grid.describe()}
    _emit(result) if as_json else typer.echo(f"{out}: frame {frame} of {path.name}, {formed.grid.describe()}")


@app.command()
def label(path: PathArgument, out: OutOption, as_json: JsonOption = False) -> None:
    """Label nerves and vessels, and write the labels and how sure they are."""
    from insonate.pipeline.files import label_file

    with _progress("reading") as report:
        made = label_file(path, out, report=report)
    _emit(made.result) if as_json else typer.echo(made.sentence)


@app.command()
def guide(
    path: PathArgument,
    procedure: ProcedureOption,
    out: OutOption,
    spacing: SpacingOption = None,
    depth_cm: DepthOption = None,
    frame: FrameOption = None,
    as_json: JsonOption = False,
) -> None:
    """Label the structures, plan needle paths for a procedure, and write picture, labels and report."""
    from insonate.pipeline.files import guide_file

    with _progress("reading") as report:
        made = guide_file(
            path,
            procedure,
            out,
            spacing=_millimeters(spacing),
            depth=None if depth_cm is None else depth_cm / 100,
            frame=None if frame is None else frame - 1,
            report=report,
        )
    _emit(made.result) if as_json else typer.echo(made.sentence)


@procedures_app.callback(invoke_without_command=True)
def procedures(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the procedures there are."""
    if context.invoked_subcommand is not None:
        return
    from insonate.guidance.procedures import procedures as all_procedures

    known = all_procedures()
    if as_json:
        _emit([{"id": one.id, "name": one.name, "review": one.review.value} for one in known])
        return
    for one in known:
        typer.echo(f"{one.id}  {one.name}  ({one.review.value})")


@procedures_app.command("show")
def show_procedure(
    procedure: Annotated[str, typer.Argument(help="Id, such as UL03.")], as_json: JsonOption = False
) -> None:
    """Show one procedure with every number and its source."""
    from insonate.guidance.procedures import procedure as load
    from insonate.pipeline.summary import procedure_facts

    facts = procedure_facts(load(procedure))
    if as_json:
        _emit(facts)
        return
    for key, value in facts.items():
        rows = value if isinstance(value, list) else [value]
        typer.echo(f"{key}:")
        for row in rows:
            typer.echo(f"  {row}")


@procedures_app.command("check")
def check_procedures(as_json: JsonOption = False) -> None:
    """Check every procedure file: a number without source or tag fails."""
    from insonate.guidance.procedures import check, procedures

    faults = list(check())
    if as_json:
        _emit({"faults": faults})
    elif faults:
        for fault in faults:
            _say(fault)
    else:
        typer.echo(f"{len(procedures())} procedures, every number with its source and evidence tag")
    if faults:
        raise typer.Exit(BAD_INPUT)


@recordings_app.callback(invoke_without_command=True)
def recordings(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the recordings of the page, newest first."""
    if context.invoked_subcommand is not None:
        return
    from insonate.record.timeline import Library, home

    known = Library(home()).entries()
    if as_json:
        _emit([{"name": one.name, "path": str(one.path), "size": one.size} | one.begin for one in known])
        return
    for one in known:
        typer.echo(f"{one.name}  ({one.size / 1e6:.1f} MB, {one.begin.get('source', 'beginning damaged')})")


@recordings_app.command("check")
def check_recording(
    recording: Annotated[str, typer.Argument(help="Name of a recording, or a file.")],
    as_json: JsonOption = False,
) -> None:
    """Read a recording whole, and name what of it is damaged."""
    from insonate.record.timeline import Library, check, home

    path = Path(recording)
    report = check(path if path.is_file() else Library(home()).path(recording))
    words = [one.sentence for one in report.damage]
    if report.missing:
        words.append(f"{report.missing} events are missing")
    if as_json:
        _emit(
            {
                "events": report.events,
                "seconds": report.seconds,
                "closed": report.closed,
                "whole": report.whole,
                "damage": words,
            }
        )
    else:
        ended = "ended in order" if report.closed else "cut off while it was recorded"
        typer.echo(f"{path.name}: {report.events} events, {report.seconds:.1f} s, {ended}")
        for sentence in words:
            _say(sentence)
    if not report.whole:
        raise typer.Exit(BAD_INPUT)


@recordings_app.command("clip")
def clip_recording(
    recording: Annotated[str, typer.Argument(help="Name of a recording, or a file.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Clip to write; ends in .mp4.", show_default=False)
    ],
    rate: Annotated[float, typer.Option("--rate", help="Pictures a second.")] = 20.0,
) -> None:
    """Write a recording as a clip, with its cues in words below the picture."""
    from insonate.pipeline.clip import write_clip
    from insonate.record.timeline import Library, home

    path = Path(recording)
    with _progress("writing") as report:
        count = write_clip(
            path if path.is_file() else Library(home()).path(recording), out, frame_rate=rate, report=report
        )
    typer.echo(f"{out}: {count} pictures, {count / rate:.1f} s")


@recordings_app.command("report")
def report_recording(
    recording: Annotated[str, typer.Argument(help="Name of a recording, or a file.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Page to write; ends in .html.", show_default=False)
    ],
) -> None:
    """Tell a recording as a page: what stood, what was known, pictures, damage."""
    from insonate.formats.writing import replacing
    from insonate.pipeline.recording_page import recording_page
    from insonate.record.timeline import Library, home

    if out.suffix.lower() != ".html":
        raise InputError(f"the page must end in .html, got {out.name!r}")
    path = Path(recording)
    text = recording_page(path if path.is_file() else Library(home()).path(recording))
    with replacing(out) as room:
        room.write_text(text, encoding="utf-8")
    typer.echo(f"{out}: {len(text) // 1024} kB")


@recordings_app.command("rename")
def rename_recording(
    name: Annotated[str, typer.Argument(help="Of the recording.")],
    to: Annotated[str, typer.Argument(help="What it is to be called.")],
) -> None:
    """Give a recording another name."""
    from insonate.record.timeline import Library, home

    typer.echo(f"{name} is called {Library(home()).rename(name, to).stem} now")


@recordings_app.command("delete")
def delete_recording(name: Annotated[str, typer.Argument(help="Of the recording.")]) -> None:
    """Delete a recording, for good."""
    from insonate.record.timeline import Library, home

    Library(home()).delete(name)
    typer.echo(f"{name} is deleted")


@app.command()
def regions(as_json: JsonOption = False) -> None:
    """List the regions of the simulated patient, with windows, variants and pathologies."""
    from insonate.pipeline.patients import listed

    known = listed()
    if as_json:
        _emit(known)
        return
    for one in known:
        typer.echo(one["region"])
        for kind in ("windows", "variants", "pathologies"):
            typer.echo(f"  {kind + ':':<13} {', '.join(one[kind]) or 'none'}")


@app.command()
def serve(
    source: Annotated[
        str | None,
        typer.Argument(
            help="File to show, or name of a live source; the simulated patient by default.",
            show_default=False,
        ),
    ] = None,
    region: RegionOption = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Of the patient; 7 by default.", show_default=False)
    ] = None,
    variant: VariantOption = None,
    pathology: PathologyOption = None,
    window: WindowOption = None,
    operator: Annotated[
        str | None,
        typer.Option(
            "--operator",
            help="expert or novice examines the patient; a hand at the page by default.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Loopback address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; the next free one if taken.")] = 8787,
    procedure: Annotated[
        str | None, typer.Option("--procedure", "-p", help="Procedure to begin with.")
    ] = None,
    spacing: SpacingOption = None,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in the browser.")
    ] = True,
) -> None:
    """Serve the workstation page on this machine only."""
    from insonate.app.server import serve as run
    from insonate.pipeline.patients import Choice

    told = {
        "region": region,
        "seed": seed,
        "variant": variant,
        "pathologies": tuple(pathology or ()) or None,
        "window": window,
        "operator": operator,
    }
    chosen: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    run(
        source,
        choice=Choice(**chosen) if chosen else None,
        host=host,
        port=port,
        open_browser=open_browser,
        procedure=procedure,
        spacing=_millimeters(spacing),
    )


@app.command()
def simulate(
    region: Annotated[
        str | None, typer.Argument(help="Region of the simulated patient.", show_default=False)
    ] = None,
    scatterers: Annotated[
        Path | None,
        typer.Option(
            "--scatterers",
            help="Instead of a patient: CSV with the columns x_mm, y_mm, z_mm, amplitude.",
            show_default=False,
        ),
    ] = None,
    probe: Annotated[
        str, typer.Option("--probe", help="Probe for the scatterers: linear_7_5, linear_15.")
    ] = "linear_7_5",
    angles: Annotated[
        str, typer.Option("--angles", metavar="DEG[,DEG]", help="Plane waves over the scatterers.")
    ] = "0",
    engine: Annotated[
        str, typer.Option("--engine", help="For the scatterers: A, the reference, or B, fast.")
    ] = "A",
    seed: Annotated[int, typer.Option("--seed", help="Of the patient and the operator.")] = 7,
    operator: Annotated[str, typer.Option("--operator", help="expert or novice.")] = "expert",
    variant: VariantOption = None,
    pathology: PathologyOption = None,
    window: WindowOption = None,
    seconds: Annotated[float, typer.Option("--seconds", help="How long the patient is examined.")] = 20.0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder, or HDF5 file for scatterers, to write.", show_default=False
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate an examination of a patient, with its truth; or channel data of your own scatterers."""
    if (region is None) == (scatterers is None):
        raise InputError("simulate needs a region or --scatterers FILE.csv, and not both")
    if out is None:
        raise InputError("simulate needs --out, where the result is written")
    if region is None and (variant or pathology or window):
        raise InputError(
            "--variant, --pathology and --window are of a region, and there is none with --scatterers"
        )
    if region is not None:
        from insonate.pipeline.fitting_data import simulate_examination

        with _progress("compiling") as report:
            made = simulate_examination(
                region,
                out,
                seed=seed,
                operator=operator,
                seconds=seconds,
                variant=variant or "usual",
                pathologies=pathology or (),
                window=window,
                report=report,
            )
        _emit(made.result) if as_json else typer.echo(made.sentence)
        return
    if scatterers is None:
        raise InputError("simulate needs --scatterers FILE.csv without a region")
    from insonate.pipeline.simulating import simulate_scatterers

    with _progress("reading") as report:
        made = simulate_scatterers(scatterers, probe, _radians(angles), out, engine=engine, report=report)
    _emit(made.result) if as_json else typer.echo(made.sentence)


@app.command()
def debrief(
    block: Annotated[
        Path,
        typer.Argument(
            help="Folder that `simulate REGION` wrote, or its examination.json.", show_default=False
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="HTML page to write.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look back upon a simulated block: how near, how well seen, where the fluid went, what to do better."""
    from insonate.training.block import read_block
    from insonate.training.debrief import debrief as look_back
    from insonate.training.debrief_page import as_values, page, write_page

    lived = read_block(block)
    if out is not None and out.suffix.lower() != ".html":
        raise InputError(f"--out must end in .html, got {out.name!r}")
    with _progress("compiling the body") as report:
        seen = look_back(
            lived.seed,
            lived.settings,
            lived.commands,
            lived.seconds,
            target=lived.target,
            told=lived.told,
            planned=lived.planned,
            report=report,
        )
    if out is not None:
        write_page(out, page(seen, lived))
    if as_json:
        _emit(as_values(seen))
        return
    typer.echo(seen.sentence)
    if out is not None:
        typer.echo(f"{out}: all of it")


@app.command("answer-key", hidden=True)
def answer_key() -> None:
    """Answer line by line what each frame of a simulated examination truly shows.

    The page asks it; the lines are those of `insonate.training.answer_key`.
    """
    from insonate.training.answer_key import answer

    def tell(line: str) -> None:
        typer.echo(line)
        sys.stdout.flush()

    answer(sys.stdin, tell)


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Say what is installed, what is fast and what is missing."""
    from insonate.app.doctor import examine

    findings = examine()
    if as_json:
        _emit(findings)
        return
    for section, rows in findings.items():
        typer.echo(section)
        for name, value in rows.items():
            typer.echo(f"  {name:<28} {value}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG to write.")] = Path("insonate-demo.png"),
) -> None:
    """Make the picture of the README: the simulated patient, from channel data to a planned path."""
    from insonate.pipeline.demo import make_demo

    with _progress("simulating") as report:
        sentence = make_demo(out, report=report)
    typer.echo(sentence)


def _run() -> int:
    """Run the command; the framework gives an interruption as an exit code, and a reader that left as an exit."""
    try:
        code = app(standalone_mode=False)
    except SystemExit as left:
        if isinstance(left.__context__, BrokenPipeError):
            raise BrokenPipeError from left
        raise
    return code if isinstance(code, int) else OK


def main() -> None:
    """Run the command line; every error of a user's input is one line and an exit code."""
    wants_json = "--json" in sys.argv
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # to be ended by the system is to be interrupted
        with suppress(ValueError):  # not the main thread: whoever runs this looks after signals
            signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # the name of a file need not be text
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run()
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        sys.stdout.flush()  # here, where a full disk can still be told; not at the very end
        sys.exit(code)
    except InsonateError as error:
        _fail(error, NOT_WRITTEN if isinstance(error, OutputError) else BAD_INPUT, wants_json=wants_json)
    except MemoryError:
        _fail(MemoryError("not enough memory for this input"), BAD_INPUT, wants_json=wants_json)
    except (KeyboardInterrupt, typer.Abort) as error:
        words = "interrupted, nothing was left half-written"
        if wants_json:
            _emit({"error": {"kind": type(error).__name__, "message": words, "exit_code": INTERRUPTED}})
        _say(f"insonate: {words}")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(OK)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            _fail(OutputError(f"cannot be written: {error.strerror}"), NOT_WRITTEN, wants_json=False)
        if hasattr(error, "exit_code") and hasattr(error, "format_message"):  # wrong usage, from the parser
            if wants_json and (words := " ".join(error.format_message().split())):
                _emit({"error": {"kind": type(error).__name__, "message": words, "exit_code": BAD_INPUT}})
            error.show() if hasattr(error, "show") else _say(str(error))
            sys.exit(BAD_INPUT)
        if os.environ.get("INSONATE_DEBUG"):
            raise
        _fail(error, FAULT, wants_json=wants_json)


def _fail(error: BaseException, code: int, *, wants_json: bool) -> None:
    text = " ".join(str(error).split()) or type(error).__name__
    if code == FAULT:
        text = f"a fault of ours, {type(error).__name__}: {text} (INSONATE_DEBUG=1 shows where; please report it)"
    if wants_json:
        _emit({"error": {"kind": type(error).__name__, "message": text, "exit_code": code}})
    _say(f"insonate: {text}")
    sys.exit(code)
