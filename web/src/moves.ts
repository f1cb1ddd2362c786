// What a press of a key, or of its button, moves: one list for keys, buttons and help. Lengths in meters, angles in radians.
import type { MoveNeedle, MoveProbe } from './messages'

export type Hand = 'probe' | 'needle'
export type Move = MoveProbe | MoveNeedle

const MM = 0.001
const DEGREE = Math.PI / 180
/** Of the contact force [N]. */
const PRESS = 0.5
/** With Shift a step is this much smaller. */
export const FINE = 0.1
/** A held key repeats so often [1/s]. */
export const REPEATS = 15

const probe: MoveProbe = { type: 'probe', slide: 0, along: 0, rotate: 0, tilt: 0, rock: 0, press: 0, at: null }
const needle: MoveNeedle = { type: 'needle', entry: 0, angle: 0, yaw: 0, advance: 0, bevel: 0, at: null }

export const moveProbe = (part: Partial<MoveProbe>): MoveProbe => ({ ...probe, ...part })
export const moveNeedle = (part: Partial<MoveNeedle>): MoveNeedle => ({ ...needle, ...part })

export interface Pair {
  hand: Hand
  name: string
  /** The key of each direction. */
  keys: [string, string]
  /** What each does, in words. */
  does: [string, string]
  move: (amount: number) => Move
  /** Of a step, while its key is held: a needle that goes on at 15 mm/s is nobody's. */
  held: number
}

const pair = (hand: Hand, name: string, keys: [string, string], does: [string, string], move: (amount: number) => Move, held = 1): Pair => ({
  hand, name, keys, does, move, held,
})

export const PAIRS: Pair[] = [
  pair('probe', 'Slide', ['ArrowLeft', 'ArrowRight'], ['Slide left along the image', 'Slide right along the image'], (n) => moveProbe({ slide: n * MM })),
  pair('probe', 'Sweep', ['ArrowDown', 'ArrowUp'], ['Sweep toward the foot', 'Sweep toward the head'], (n) => moveProbe({ along: n * MM })),
  pair('probe', 'Rotate', ['q', 'e'], ['Rotate left', 'Rotate right'], (n) => moveProbe({ rotate: n * DEGREE })),
  pair('probe', 'Tilt', ['g', 't'], ['Tilt toward the foot', 'Tilt toward the head'], (n) => moveProbe({ tilt: n * DEGREE })),
  pair('probe', 'Rock', ['v', 'r'], ['Rock left', 'Rock right'], (n) => moveProbe({ rock: n * DEGREE })),
  pair('probe', 'Press', [',', '.'], ['Press less', 'Press more'], (n) => moveProbe({ press: n * PRESS })),
  pair('needle', 'Advance', ['ArrowDown', 'ArrowUp'], ['Withdraw', 'Advance'], (n) => moveNeedle({ advance: n * MM }), 1 / 3),
  pair('needle', 'Angle', ['ArrowLeft', 'ArrowRight'], ['Flatter', 'Steeper'], (n) => moveNeedle({ angle: n * DEGREE })),
  pair('needle', 'Entry', ['q', 'e'], ['Entry away from the probe', 'Entry toward the probe'], (n) => moveNeedle({ entry: -n * MM })),
  pair('needle', 'Yaw', ['g', 't'], ['Yaw toward the foot', 'Yaw toward the head'], (n) => moveNeedle({ yaw: n * DEGREE })),
  pair('needle', 'Bevel', [',', '.'], ['Turn the bevel left', 'Turn the bevel right'], (n) => moveNeedle({ bevel: n * DEGREE })),
]

const CAPS: Record<string, string> = { ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓' }
export const cap = (key: string): string => CAPS[key] ?? key.toUpperCase()

/** The key of an event, the same with and without Shift. */
export function keyOf(event: KeyboardEvent): string {
  if (event.key === '<' || event.code === 'Comma') return ','
  if (event.key === '>' || event.code === 'Period') return '.'
  return event.key.length === 1 ? event.key.toLowerCase() : event.key
}
