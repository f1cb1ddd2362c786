"""What the newest observations say, rule by rule: judgements for `alerting`.

    clearance   stop: contact is as likely as not (distance 0); caution: the 95 % interval reaches into the margin
    tip         unknown: the tip is not known; caution: and the needle goes on, for longer than 0.5 s
    image       unknown: no frame for longer than 0.5 s
    echo        caution: the picture shows the needle elsewhere than the tracker does; unknown: it shows none there
    pressure    stop: at or above 15 psi; caution: within the gauge's doubt of it; unknown: injecting, and none is measured
    aspiration  stop: blood came back. Only a needle that was drawn back by 1 mm, and draws none there, ends it
    twitch      stop: an answer at or below 0.2 mA; caution: at or below 0.3 mA. An absent answer ends neither: the tip must
                have been drawn back by 1 mm, and a stimulus as strong as then must bring none

Each rule is spoken of every time, also when there is nothing to advise, so that silence is never mistaken for an all-clear.
Numbers are in `alerting.toml`. Times are on the clock of the observations.
"""

from collections.abc import Iterable

import numpy as np

from insonate.core import (
    Clearance,
    Drawn,
    InjectionReading,
    Level,
    NeedleEcho,
    NeedlePose,
    NeedleState,
    StimulationReading,
    Stimulus,
)
from insonate.core.units import Amperes, CubicMeters, Meters, Pascals, Seconds
from insonate.guidance.alerting import Judgement
from insonate.guidance.rules import rules

PSI: Pascals = 6894.76
"""One pound per square inch [Pa]."""


SAME: Meters = 1e-5
"""Lengths that differ less are the same: sums of a hand's steps [m]."""

LOOKS: Seconds = 0.2
"""From one look along the needle to the next [s]."""


def about_clearances(clearances: Iterable[Clearance], observed: Seconds) -> list[Judgement]:
    """Judge distances from the needle to structures.

    Parameters
    ----------
    clearances : iterable of Clearance
        One for each structure, known or not.
    observed : float
        When the older of needle and structures was seen [s].

    Returns
    -------
    list of Judgement
        One for each.
    """
    return [_about_clearance(one, observed) for one in clearances]


def _about_clearance(one: Clearance, observed: Seconds) -> Judgement:
    name = one.structure
    if one.distance is None or one.interval is None or one.unit != "m":
        why = one.reason if one.distance is None else "distance in pixels: spacing unknown"
        return Judgement(
            rule="clearance",
            about=name,
            level=Level.UNKNOWN,
            excludes=None,
            observed=observed,
            message=f"Look for the {name}.",
            reason=f"{_first_upper(name)} unknown: {why}",
            clearance=one,
        )
    low, high = one.interval
    reason = f"{1e3 * one.distance:.1f} mm to {name} ({1e3 * low:.1f}-{1e3 * high:.1f}), margin {1e3 * one.margin:.1f} mm"
    if one.distance <= 0:
        level, excludes, message = Level.STOP, None, f"Stop. Withdraw from the {name}."
    elif one.target:
        touch = one.contact_probability or 0.0
        reason = f"{1e3 * one.distance:.1f} mm to {name} ({1e3 * low:.1f}-{1e3 * high:.1f}), touched at {100 * touch:.0f} %"
        if touch < rules()["clearance"]["target_contact"]:
            level, excludes, message = None, Level.CAUTION, f"The {name} is not touched."
        else:
            level, message = Level.CAUTION, f"Hold. Too near to the {name}."
            excludes = Level.STOP if low > 0 else None
    elif one.keeps_margin:
        level, excludes, message = None, Level.CAUTION, f"The margin to the {name} is kept."
    else:
        level, message = Level.CAUTION, f"Hold. Too near to the {name}."
        excludes = Level.STOP if low > 0 else None
    return Judgement(
        rule="clearance",
        about=name,
        level=level,
        excludes=excludes,
        observed=observed,
        message=message,
        reason=reason,
        clearance=one,
    )


def about_image(frame: Seconds | None, now: Seconds) -> Judgement:
    """Judge the age of the newest picture.

    Parameters
    ----------
    frame : float or None
        When it was taken; None if there is none [s].
    now : float
        [s].

    Returns
    -------
    Judgement
        About "image".
    """
    age = None if frame is None else now - frame
    known = age is not None and age <= rules()["alerting"]["stale"]
    return Judgement(
        rule="image",
        about="image",
        level=None if known else Level.UNKNOWN,
        excludes=Level.INFO if known else None,
        observed=now if frame is None else frame,
        message="The image is live." if known else "Hold. Wait for the image.",
        reason="No frame yet" if age is None else f"No frame for {max(age, 0.0):.1f} s",
    )


class TipRule:
    """Judges whether the tip is known; it remembers when it last was."""

    def __init__(self) -> None:
        """Begin without having seen it."""
        self._seen: Seconds | None = None
        self._since: Seconds | None = None

    def judge(
        self, needle: NeedlePose | None, now: Seconds, *, under_skin: bool | None, advancing: bool | None
    ) -> Judgement:
        """Judge the newest pose.

        Parameters
        ----------
        needle : NeedlePose or None
            The newest; None if there never was one.
        now : float
            [s].
        under_skin : bool or None
            Whether a needle is under the skin; None if nobody knows.
        advancing : bool or None
            Whether it goes on; None if nobody knows, which counts as going on.

        Returns
        -------
        Judgement
            About "needle".
        """
        values = rules()
        fresh = needle is not None and now - needle.time <= values["alerting"]["stale"]
        if under_skin is False:
            self._since = None
            return self._judgement(None, now, "No needle is under the skin.", "Needle outside")
        if needle is not None and fresh and needle.state is NeedleState.TIP:
            self._seen, self._since = needle.time, None
            return self._judgement(None, needle.time, "The tip is seen.", "Tip known")
        self._since = now if self._since is None else self._since
        lost = now - (self._since if self._seen is None else self._seen)
        reason = "Tip not seen yet" if self._seen is None else f"Tip not seen for {lost:.1f} s"
        if needle is not None and fresh and needle.state is NeedleState.SHAFT_ONLY:
            reason += ", shaft only"
        if lost > values["needle"]["blind"] and advancing is not False:
            return self._judgement(Level.CAUTION, now, "Hold. Find the tip.", reason)
        return self._judgement(Level.UNKNOWN, now, "Hold. Find the tip.", reason)

    @staticmethod
    def _judgement(level: Level | None, observed: Seconds, message: str, reason: str) -> Judgement:
        return Judgement(
            rule="tip",
            about="needle",
            level=level,
            excludes=Level.INFO if level is None else None,
            observed=observed,
            message=message,
            reason=reason,
        )


class EchoRule:
    """Judges whether the picture shows the needle where the tracker has it; doubt stays until the picture shows it there.

    Where no picture could tell, because too little of the needle lay in it, nothing is doubted and nothing is cleared.
    """

    def __init__(self) -> None:
        """Begin without having looked."""
        self.doubt: str | None = None
        """Why the tracker's tip is not relied on; None while it is."""
        self._level = Level.UNKNOWN
        self._looked: Seconds | None = None
        self._against = self._for = 0

    def shown(self, now: Seconds) -> bool | None:
        """Tell whether the picture shows the needle where it is tracked; None where no picture could tell lately [s]."""
        if self.doubt is not None:
            return False
        old = self._looked is None or now - self._looked > rules()["alerting"]["stale"]
        return None if old or self._for < rules()["echo"]["looks"] else True

    def forget(self) -> None:
        """Begin anew, as with a needle out of the skin."""
        self.doubt, self._level, self._looked = None, Level.UNKNOWN, None
        self._against = self._for = 0

    def look(self, echo: NeedleEcho) -> None:
        """Take what a picture shows.

        Parameters
        ----------
        echo : NeedleEcho
            Along the needle as the tracker had it when the picture was taken.
        """
        values, self._looked = rules()["echo"], echo.time
        level, why = self._against_it(echo)
        self._against, self._for = (0, self._for + 1) if why is None else (self._against + 1, 0)
        if why is not None and self._against >= values["looks"]:
            self._level, self.doubt = level, why
        elif self._for >= values["looks"]:
            self.doubt = None

    @staticmethod
    def _against_it(echo: NeedleEcho) -> tuple[Level, str | None]:
        """Give why a picture speaks against the tracker; None if it speaks for it."""
        values = rules()["echo"]
        if echo.contrast >= values["contrast"] and echo.contrast >= echo.elsewhere - values["less"]:
            if abs(echo.beyond) <= values["end"]:
                return Level.INFO, None
            where = "beyond" if echo.beyond > 0 else "short of"
            return Level.CAUTION, f"the echo ends {1e3 * abs(echo.beyond):.0f} mm {where} the tracker's tip"
        if echo.elsewhere >= values["contrast"]:
            where = "deeper than" if echo.offset > 0 else "above"
            return Level.CAUTION, f"an echo lies {1e3 * abs(echo.offset):.0f} mm {where} the tracker's needle"
        return Level.UNKNOWN, "no echo where the tracker has the needle"

    def judge(self, now: Seconds, *, under_skin: bool | None) -> Judgement:
        """Judge what was looked at last.

        Parameters
        ----------
        now : float
            [s].
        under_skin : bool or None
            Whether a needle is under the skin; None if nobody knows.

        Returns
        -------
        Judgement
            About "needle".
        """
        if under_skin is False:
            self.forget()
        values = rules()
        if self.doubt is not None:
            return self._judgement(
                self._level, None, now, "Hold. Find the tip in the picture.", _first_upper(self.doubt)
            )
        if under_skin is False:
            return self._judgement(None, Level.INFO, now, "No needle is under the skin.", "Needle outside")
        if self._looked is None or now - self._looked > values["alerting"]["stale"]:
            return self._judgement(
                None, None, now, "Too little of the needle is in the picture.", "Not looked at"
            )
        sure = self._for >= values["echo"]["looks"]
        return self._judgement(
            None, Level.INFO if sure else None, self._looked, "The picture shows the needle.", "Echo along it"
        )

    @staticmethod
    def _judgement(
        level: Level | None, excludes: Level | None, observed: Seconds, message: str, reason: str
    ) -> Judgement:
        return Judgement(
            rule="echo",
            about="needle",
            level=level,
            excludes=excludes,
            observed=observed,
            message=message,
            reason=reason,
            period=LOOKS,
        )


def about_pressure(reading: InjectionReading | None, now: Seconds) -> Judgement:
    """Judge the newest reading at the syringe.

    Parameters
    ----------
    reading : InjectionReading or None
        None if the syringe was never pressed.
    now : float
        [s].

    Returns
    -------
    Judgement
        About "injection".
    """
    values = rules()["injection"]
    level: Level | None = None
    excludes: Level | None = None
    message, reason = "The pressure is below its limit.", "Syringe not pressed"
    if reading is not None and reading.pressure is None:
        if reading.rate > 0:
            level, message, reason = (
                Level.UNKNOWN,
                "Stop injecting. Read the pressure.",
                "Pressure not measured",
            )
    elif reading is not None and reading.pressure is not None:
        limit, doubt = values["pressure"], values["pressure_doubt"]
        reason = f"{reading.pressure / 1e3:.0f} kPa ({reading.pressure / PSI:.0f} psi), limit {limit / 1e3:.0f} kPa"
        if reading.pressure >= limit:
            level, message = Level.STOP, "Stop injecting. Withdraw 1 mm."
        elif reading.pressure >= limit - doubt:
            level, message = Level.CAUTION, "Inject slower. Pressure near its limit."
        else:
            excludes = Level.CAUTION
    return Judgement(
        rule="pressure",
        about="injection",
        level=level,
        excludes=excludes,
        observed=now if reading is None else reading.time,
        message=message,
        reason=reason,
    )


class AspirationRule:
    """Judges what a drawn syringe showed; it remembers how far the needle was in. No blood is no proof: a vein may close."""

    def __init__(self) -> None:
        """Begin without any."""
        self._reading: InjectionReading | None = None
        """That showed something."""
        self._there: tuple[Meters, np.ndarray] | None = None
        """How far the needle was in then, and where that led to."""
        self._now: tuple[Meters, np.ndarray] | None = None
        self._bled = self._back = self._let_go = False

    def move(self, inserted: Meters, tip: np.ndarray) -> None:
        """Take how far the needle is under the skin now [m], and (3,) where that leads to [m], by the commands."""
        self._now = inserted, tip
        if inserted <= 0:
            self._reading, self._bled = None, False
        elif self._bled and self._there is not None:
            self._back |= self._there[0] - inserted >= rules()["injection"]["drawn_back"] - SAME

    def take(self, reading: InjectionReading) -> None:
        """Take one reading; those that show nothing yet are passed over."""
        if reading.drawn is None:
            self._let_go = self._back  # what the line is full of is from where the needle was
            return
        if reading.drawn is Drawn.BLOOD:
            self._bled, self._back, self._let_go = True, False, False
        elif reading.drawn in (Drawn.NOTHING, Drawn.FLUID) and self._let_go:
            self._bled = False
        if reading.drawn is Drawn.BLOOD or not self._bled:
            self._reading, self._there = reading, self._now

    @property
    def clear(self) -> CubicMeters | None:
        """How much was given when no blood came, from where the needle still is; None if that is not so [m^3]."""
        reading, there, now = self._reading, self._there, self._now
        if reading is None or self._bled or reading.drawn not in (Drawn.NOTHING, Drawn.FLUID):
            return None
        if there is None or now is None:
            return None
        if float(np.linalg.norm(now[1] - there[1])) >= rules()["injection"]["drawn_back"] - SAME:
            return None  # on, back or aside
        return reading.volume

    def judge(self, newest: InjectionReading | None, now: Seconds) -> Judgement:
        """Judge what was seen.

        Parameters
        ----------
        newest : InjectionReading or None
            Whatever it shows; None if the syringe was never pressed or drawn.
        now : float
            [s].

        Returns
        -------
        Judgement
            About "injection".
        """
        seen = self._reading
        if self._bled and newest is not None:
            return Judgement(
                rule="aspiration",
                about="injection",
                level=Level.STOP,
                excludes=None,
                observed=newest.time,
                message="Do not inject. Aspirate again." if self._back else "Do not inject. Withdraw 1 mm.",
                reason="Blood came back into the syringe",
            )
        return Judgement(
            rule="aspiration",
            about="injection",
            level=None,
            excludes=Level.INFO,
            observed=now,
            message="No blood was aspirated.",
            reason="Not aspirated yet" if seen is None else f"No blood: {_CAME[seen.drawn]}",
        )


_CAME = {
    None: "nothing was seen",
    Drawn.NOTHING: "nothing came back",
    Drawn.FLUID: "the fluid came back",
    Drawn.AIR: "only air came back",
}


class TwitchRule:
    """Judges answers to stimuli; it remembers the weakest stimulus that was answered, and where the tip was."""

    def __init__(self) -> None:
        """Begin without any."""
        self._current: Amperes | None = None
        self._tip: np.ndarray | None = None

    def judge(
        self,
        reading: StimulationReading | None,
        needle: NeedlePose | None,
        now: Seconds,
        *,
        asked: tuple[Stimulus, Seconds] | None = None,
    ) -> Judgement:
        """Judge the newest reading.

        Parameters
        ----------
        reading : StimulationReading or None
            None if no stimulus was given.
        needle : NeedlePose or None
            The newest pose, always of the same frame; None if there is none.
        now : float
            [s].
        asked : (Stimulus, float), optional
            What the stimulator was told to give, and since when [s]; None while it is off, or nobody knows.

        Returns
        -------
        Judgement
            About "stimulator".
        """
        if asked is not None and (reading is None or reading.time < asked[1]):
            period, silent = 1 / asked[0].rate, now - asked[1]
            if silent > rules()["alerting"]["stale"] + period:
                why = f"Stimulator told to give {1e3 * asked[0].current:.2f} mA, silent for {silent:.1f} s"
                return self._judgement(Level.UNKNOWN, None, now, "Look at the stimulator.", why, period)
        if reading is None:
            return self._judgement(None, None, now, "No stimulus was given.", "Stimulator silent", 0.0)
        values = rules()["stimulator"]
        current = reading.stimulus.current if reading.delivered is None else reading.delivered
        period, said = 1 / reading.stimulus.rate, f"at {1e3 * current:.2f} mA"
        tip = needle.tip if needle is not None and needle.state is NeedleState.TIP else None
        if reading.grade is None:
            return self._judgement(
                Level.UNKNOWN, None, reading.time, "Look for a twitch.", f"Nobody looked {said}", period
            )
        if reading.grade > 0 and current <= values["caution"]:
            if self._current is None or current <= self._current:
                self._current, self._tip = current, tip
            level = Level.STOP if current <= values["stop"] else Level.CAUTION
            words = "Do not inject. Withdraw 1 mm."
            return self._judgement(
                level, None, reading.time, words, f"{reading.muscle} answers {said}", period
            )
        if reading.grade > 0:
            reason = f"{reading.muscle} answers {said}"
            excluded = self._excluded(current, tip, answered=True)
            return self._judgement(None, excluded, reading.time, _QUIET, reason, period, known=True)
        reason = f"No answer {said}: no proof of distance"
        excluded = self._excluded(current, tip, answered=False)
        return self._judgement(None, excluded, reading.time, _QUIET, reason, period, known=True)

    def _excluded(self, current: Amperes, tip: np.ndarray | None, *, answered: bool) -> Level | None:
        """Give what is ruled out: only what was held by an answer at this current, with the tip drawn back since."""
        if self._current is None or answered or current < self._current or tip is None or self._tip is None:
            return None
        if np.linalg.norm(tip - self._tip) < rules()["stimulator"]["withdrawn"]:
            return None
        return Level.CAUTION

    @staticmethod
    def _judgement(
        level: Level | None,
        excludes: Level | None,
        observed: Seconds,
        message: str,
        reason: str,
        period: Seconds,
        *,
        known: bool = False,
    ) -> Judgement:
        return Judgement(
            rule="twitch",
            about="stimulator",
            level=level,
            excludes=excludes,
            observed=observed,
            message=message,
            reason=_first_upper(reason),
            period=period,
            known=known,
        )


_QUIET = "The current may be lowered."


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
