"""One viewer's stream: newest frame first, never more than a few on the way, losses counted alike at both ends.

A frame is sent when the viewer has acknowledged all but `WINDOW` of those before. What was passed over is counted in the
next header; the viewer counts the gaps in the numbers, and both must agree.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from insonate.app.examination import carried_on, flow_now, guidance, key_now
from insonate.app.leading import Leading
from insonate.app.messages import (
    Ack,
    Acknowledge,
    AnswerKey,
    Back,
    Color,
    Confirmed,
    Freeze,
    FromServer,
    MoveNeedle,
    MoveProbe,
    Name,
    Next,
    Pilot,
    Preset,
    Press,
    Problem,
    SetControl,
    SetProcedure,
    Status,
    Stimulate,
    packed,
    parse,
)
from insonate.core import InsonateError
from insonate.pipeline.live import Live

LOG = logging.getLogger(__name__)

WINDOW = 3
"""Frames on the way to one viewer."""

STATUS_EVERY = 1.0
"""[s]"""

HANDS_EVERY = 0.1
"""How often it is looked whether hands and readings have changed [s]."""

LONGEST_MESSAGE = 4096
"""Characters of one message from the page; longer ones are dropped."""

PATIENCE = 0.25
"""How long a frame is waited for before other news are looked at [s]."""


class Viewer:
    """One page that watches the examination."""

    def __init__(self, socket: WebSocket, leading: Leading, watching: set["Viewer"]) -> None:
        """Take the open socket; `run` serves it until it closes."""
        self.socket, self.leading, self.watching = socket, leading, watching
        self.examination = leading.examination
        self.lost = self.sent = self.acknowledged = 0
        self.number = 0
        self._on_the_way: deque[int] = deque()
        self._last = 0
        self._room = asyncio.Event()

    async def run(self) -> None:
        """Serve until the page goes away."""
        self.watching.add(self)
        self.number = self.examination.pilots.enter()
        work = [asyncio.create_task(one) for one in (self._send(), self._receive(), self._say_hands())]
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.watching.discard(self)
            cockpit = self.examination.cockpit
            if self.examination.pilots.leave(self.number) and cockpit is not None:
                with contextlib.suppress(InsonateError):
                    cockpit.rest()
            for task in work:
                task.cancel()
            ends = await asyncio.gather(*work, return_exceptions=True)
        for end in ends:
            # A page that went away shows as one of these; anything else is ours, and the page must not wait for more.
            if isinstance(end, Exception) and not isinstance(end, WebSocketDisconnect | RuntimeError):
                LOG.error("the stream to a page broke", exc_info=end)
                with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                    await self.socket.close(code=1011, reason="the stream broke")

    async def _say(self, message: FromServer) -> None:
        await self.socket.send_text(message.model_dump_json())

    async def _receive(self) -> None:
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None or len(text) > LONGEST_MESSAGE:
                await self._say(Problem(message="not a message of this page"))
                continue
            try:
                await self._obey(text)
            except ValidationError:
                await self._say(Problem(message="not a message of this page"))
            except InsonateError as error:
                await self._say(Problem(message=str(error)))
            except (WebSocketDisconnect, RuntimeError):
                raise
            except Exception as error:  # one deed that fails by a fault of ours takes nobody's picture away
                LOG.exception("a message of a page could not be obeyed")
                await self._say(Problem(message=f"a fault of ours, {type(error).__name__}"))

    async def _obey(self, text: str) -> None:
        match parse(text):
            case Ack(frame=number):
                while (
                    number in self._on_the_way
                ):  # it came, and so did those before it; of another nothing is known
                    self._on_the_way.popleft()
                    self.acknowledged += 1
                self._room.set()
            case SetControl(name=name, value=value):
                self.examination.set_control(name, value)
            case Preset(deed=deed, name=name):
                await asyncio.to_thread(self.examination.preset, deed, name)
            case Color() as color:
                self.examination.set_color(color, self.number)
            case AnswerKey(on=on):
                await asyncio.to_thread(self.examination.show_key, on, self.number)
            case SetProcedure(id=id):
                self.examination.set_procedure(id)
            case Freeze(on=on):
                self.examination.freeze(on)
            case Name(axial=axial, lateral=lateral, name=name):
                self.examination.name_structure((axial, lateral), name, self.number)
            case Next(reason=reason):
                await asyncio.to_thread(self.leading.go_on, self.number, reason)
            case Back(stage=stage):
                self.leading.go_back(self.number, stage)
            case Acknowledge(rule=rule, about=about):
                self.examination.acknowledge(rule, about, self.number)
            case Pilot(give=give):
                pilots = self.examination.pilots
                pilots.give(self.number) if give else pilots.ask(self.number)
            case MoveProbe() | MoveNeedle() | Press() | Stimulate() as deed:
                self.examination.obey(deed, self.number)
                live = self.examination.live
                if live is not None and isinstance(deed, MoveProbe | MoveNeedle) and deed.at is not None:
                    live.touched(deed.at)

    async def _send(self) -> None:
        revision, seen, carried, flow = -1, None, None, None
        live: Live | None = None
        keyed = key_now(None)
        counted, at, count, compression = 0.0, time.monotonic(), 0, 1
        while True:
            if revision != self.examination.revision:
                revision = self.examination.revision
                shown, hello = self.examination.shown()
                if live is not shown:
                    self._last, seen, flow, live = 0, None, None, shown
                    at, count = time.monotonic(), 0
                await self._say(hello)
            if live is None:
                if self.examination.trouble is not None:
                    await self._say(self._blind(self.examination.trouble))
                await asyncio.sleep(PATIENCE)
                continue
            beamforms = live.beamforms
            await self._send_frame(live)
            if live.beamforms != beamforms:
                self.examination.tell()
            newest = live.seen
            if newest is not seen and newest is not None:
                if seen is not None and newest.guided is not None and newest.guided is seen.guided:
                    await self._say(Confirmed(frame=newest.number, made=newest.made))
                else:
                    await self._say(await asyncio.to_thread(guidance, newest))
            seen = newest
            moved = live.carried
            if (
                moved is not None
                and moved is not carried
                and newest is not None
                and moved.of == newest.number
            ):
                carried = moved
                await self._say(carried_on(moved))
            key = key_now(self.examination.key)
            if key != keyed:
                keyed = key
                await self._say(key)
            if live.flow is not flow:
                flow = live.flow
                await self._say(flow_now(flow))
            if time.monotonic() - counted >= STATUS_EVERY or live.compression != compression:
                compression = live.compression
                counted = time.monotonic()
                number = 0 if live.frame is None else live.frame.number
                hertz, at, count = (number - count) / max(counted - at, 1e-3), counted, number
                await self._say(
                    Status(
                        offered_hz=round(hertz, 2),
                        lost=self.lost,
                        watching=len(self.watching),
                        problem=live.problem,
                        at_edge=live.at_edge,
                        compression=compression,
                        recorded=self.examination.recorded,
                        recording_trouble=self.examination.recording_trouble,
                    )
                )

    async def _say_hands(self) -> None:
        """Say how all is held, as often as it changes; let go of a syringe whose page fell silent."""
        said, cued, advised, tracked = None, None, None, None
        while True:
            await asyncio.sleep(HANDS_EVERY)
            cues = self.examination.cues()
            if cues is not None and cues != cued:  # before all that may take its time
                await self._say(cues)
            cued = cues
            cockpit = self.examination.cockpit
            now = None
            if cockpit is not None:
                with contextlib.suppress(InsonateError):
                    cockpit.watch()
                now = await asyncio.to_thread(cockpit.now, self.number)
                if now is not None and now != said:
                    await self._say(now)
            said = now or said if cockpit is not None else None
            track = self.examination.replayed()
            if track is not None and track != tracked:
                await self._say(track)
            tracked = track
            advice = await asyncio.to_thread(self.leading.now, now)
            if advice is not None and advice != advised:
                await self._say(advice)
            advised = advice

    def _blind(self, problem: str) -> Status:
        return Status(
            offered_hz=0.0,
            lost=self.lost,
            watching=len(self.watching),
            problem=problem,
            at_edge=False,
            compression=1,
            recorded=None,
            recording_trouble=None,
        )

    async def _send_frame(self, live: Live) -> None:
        if len(self._on_the_way) >= WINDOW:
            self._room.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), PATIENCE)
            if len(self._on_the_way) >= WINDOW:
                return
        frame = await asyncio.to_thread(live.wait, self._last, PATIENCE)
        if frame is None:
            return
        if self._last:
            self.lost += frame.number - self._last - 1
        self._last = frame.number
        self._on_the_way.append(frame.number)
        await self.socket.send_bytes(packed(frame, lost=self.lost, simulated=live.source.simulated))
        self.sent += 1
