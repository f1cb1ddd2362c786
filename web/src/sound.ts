// What is heard: bursts for cues that nobody has taken note of, a click for each stimulus, a higher one for a twitch.
//
// Bursts have the pulses that alarms of medical devices have (SCREEN.md §6): caution 3, repeated after 8 s; stop 10, in threes
// and twos, after 3 s; 262 Hz with three harmonics. A browser lets nothing be heard before the first press of a key or button:
// until then the state is "blocked", and a cue that should be heard says so.

export type Heard = 'on' | 'blocked' | 'paused' | 'none'

const BASE = 262
const HARMONICS = [1, 0.6, 0.4, 0.25]
/** Length of a pulse and of the gap after it [s]; which gaps are longer; when the burst comes again [s]. */
const BURSTS = {
  caution: { pulse: 0.18, gap: 0.19, pulses: 3, rests: [] as number[], again: 8 },
  stop: { pulse: 0.15, gap: 0.1, pulses: 10, rests: [3, 5, 8], again: 3 },
}
/** How long a pause lasts [s]. */
export const PAUSE = 120
const LONG_REST = 0.35

export type Loud = keyof typeof BURSTS

export class Sound {
  private context: AudioContext | null = null
  private about = ''
  private last = -Infinity
  private clicked = -Infinity
  private pausedUntil = -Infinity
  /** Bursts and clicks that were begun. */
  bursts = 0
  clicks = 0

  /** Allowed to be heard from the first press on: the browser asks for one. */
  wake(): void {
    try {
      this.context ??= new AudioContext()
      if (this.context.state === 'suspended') void this.context.resume()
    } catch {
      this.context = null
    }
  }

  state(now: number): Heard {
    if (typeof AudioContext === 'undefined') return 'none'
    if (!this.context || this.context.state !== 'running') return 'blocked'
    return now < this.pausedUntil ? 'paused' : 'on'
  }

  /** Left of the pause [s]. */
  rest(now: number): number {
    return Math.max(0, this.pausedUntil - now)
  }

  /** Pause what sounds now, or let it sound again. */
  pause(now: number): void {
    this.pausedUntil = now < this.pausedUntil ? -Infinity : now + PAUSE
  }

  /** Sound what stands, if it is time to; another cue or a higher level is heard at once, in a pause too. */
  tick(loud: Loud | null, about: string, now: number): void {
    if (loud === null) {
      this.about = ''
      return
    }
    const other = about !== this.about
    if (other) this.pausedUntil = -Infinity
    const burst = BURSTS[loud]
    if (!other && (now < this.pausedUntil || now - this.last < burst.again)) return
    this.about = about
    if (this.state(now) !== 'on' || !this.context) return
    this.last = now
    this.bursts += 1
    let at = this.context.currentTime + 0.02
    for (let pulse = 1; pulse <= burst.pulses; pulse++) {
      this.tone(at, burst.pulse)
      at += burst.pulse + (burst.rests.includes(pulse) ? LONG_REST : burst.gap)
    }
  }

  /** Sound the stimuli: a soft click each, a higher one with a twitch. */
  stimuli(on: boolean, rate: number, twitch: boolean, now: number): void {
    if (!on || this.state(now) !== 'on' || !this.context || now - this.clicked < 1 / Math.max(rate, 0.5)) return
    this.clicked = now
    this.clicks += 1
    const context = this.context
    const source = context.createOscillator()
    const gain = context.createGain()
    source.frequency.value = twitch ? 1400 : 500
    gain.gain.setValueAtTime(0.08, context.currentTime)
    gain.gain.exponentialRampToValueAtTime(0.001, context.currentTime + (twitch ? 0.12 : 0.03))
    source.connect(gain).connect(context.destination)
    source.start()
    source.stop(context.currentTime + 0.15)
  }

  private tone(at: number, length: number): void {
    const context = this.context!
    const gain = context.createGain()
    gain.gain.setValueAtTime(0, at)
    gain.gain.linearRampToValueAtTime(0.12, at + 0.02)
    gain.gain.setValueAtTime(0.12, at + length - 0.03)
    gain.gain.linearRampToValueAtTime(0, at + length)
    gain.connect(context.destination)
    HARMONICS.forEach((share, index) => {
      const source = context.createOscillator()
      const part = context.createGain()
      source.frequency.value = BASE * (index + 1)
      part.gain.value = share
      source.connect(part).connect(gain)
      source.start(at)
      source.stop(at + length)
    })
  }
}
