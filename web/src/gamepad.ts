// A gamepad as hands: sticks and triggers move what the keys move, as far as they are pushed; buttons do what their keys do.
// Only the standard layout is obeyed: on another nobody knows which button is which.
import { moveNeedle, moveProbe, REPEATS, type Hand, type Move } from './moves'

const MM = 0.001
const DEGREE = Math.PI / 180
/** Pushed less, a stick is at rest. */
const DEAD = 0.18
/** Of a step, for the needle: full pressure advances at 5 mm/s, as its key does. */
const SLOW = 1 / 3

/** Buttons by their place in the standard layout. */
export const BUTTON = { a: 0, b: 1, x: 2, y: 3, lb: 4, rb: 5, lt: 6, rt: 7, back: 8, start: 9, rs: 11, up: 12, down: 13, left: 14, right: 15 } as const
export type Button = keyof typeof BUTTON

/** What a gamepad holds down now: axes -1..1 beyond their rest, buttons 0..1. */
export interface Held {
  axes: [number, number, number, number]
  buttons: Record<Button, number>
}

const beyond = (value: number): number => (Math.abs(value) < DEAD ? 0 : (Math.sign(value) * (Math.abs(value) - DEAD)) / (1 - DEAD))

/** Read a gamepad; null where there is none, or none of the standard layout. */
export function held(pads: readonly (Gamepad | null)[]): Held | null {
  const pad = pads.find((one) => one?.connected && one.mapping === 'standard')
  if (!pad) return null
  const axes = [0, 1, 2, 3].map((index) => beyond(pad.axes[index] ?? 0)) as Held['axes']
  const buttons = Object.fromEntries(Object.entries(BUTTON).map(([name, index]) => [name, pad.buttons[index]?.value ?? 0])) as Held['buttons']
  return { axes, buttons }
}

/** The move of one moment; null where nothing is pushed. Up on a stick is negative. */
export function moveOf({ axes: [lx, ly, rx, ry], buttons }: Held, hand: Hand): Move | null {
  const turn = buttons.rb - buttons.lb
  const pull = beyond(buttons.rt) - beyond(buttons.lt)
  if (![lx, ly, rx, ry, turn, pull].some((one) => one !== 0)) return null
  if (hand === 'probe')
    return moveProbe({ slide: lx * MM, along: -ly * MM, rock: rx * DEGREE, tilt: -ry * DEGREE, rotate: turn * DEGREE, press: 0.5 * pull })
  return moveNeedle({ entry: -lx * MM, angle: ry * DEGREE, yaw: rx * DEGREE, bevel: turn * DEGREE, advance: pull * MM * SLOW })
}

/** Look at the gamepad as often as a held key repeats; gives what ends it. */
export function watchGamepad(hand: () => Hand, move: (step: Move) => void, pressed: (button: Button, down: boolean) => void): () => void {
  let before: Held | null = null
  const look = () => {
    const now = document.hidden ? null : held(navigator.getGamepads())
    for (const name of Object.keys(BUTTON) as Button[]) {
      const [was, is] = [(before?.buttons[name] ?? 0) > 0.5, (now?.buttons[name] ?? 0) > 0.5]
      if (was !== is) pressed(name, is) // a gamepad that is gone lets go of all
    }
    const step = now && moveOf(now, hand())
    if (step) move(step)
    before = now
  }
  const timer = setInterval(look, 1000 / REPEATS)
  return () => clearInterval(timer)
}
