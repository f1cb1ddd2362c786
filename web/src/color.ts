// Color over the picture: signed bytes to pixels. No color where nothing is known; the sides of the scale are the server's.
import type { Flow } from './messages'

/** Of a pixel without color. */
const UNKNOWN = -128
/** How much of the picture a color covers. */
const COVER = 225

type Rgb = [number, number, number]

function rgb(color: string): Rgb {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)) as Rgb
}

/** The color of each value -127..127, red green blue. */
export function scale(toward: string[], away: string[]): Rgb[] {
  const ends = { toward: toward.map(rgb), away: away.map(rgb) }
  return Array.from({ length: 255 }, (_, index) => {
    const value = index - 127
    const [slow, fast] = value >= 0 ? ends.toward : ends.away
    const share = Math.abs(value) / 127
    return [0, 1, 2].map((one) => Math.round(slow![one]! + share * (fast![one]! - slow![one]!))) as Rgb
  })
}

export function bytesOf(flow: Flow): Int8Array {
  const text = atob(flow.velocities)
  return Int8Array.from(text, (one) => one.charCodeAt(0))
}

/** Red, green, blue and cover of each pixel, row by row. */
export function pixelsOf(flow: Flow): Uint8ClampedArray<ArrayBuffer> {
  const colors = scale(flow.toward, flow.away)
  const bytes = bytesOf(flow)
  const out = new Uint8ClampedArray(4 * bytes.length)
  bytes.forEach((value, index) => {
    if (value === UNKNOWN) return
    out.set([...colors[value + 127]!, COVER], 4 * index)
  })
  return out
}

/** The scale as a background, fast toward the probe at the top. */
export function gradient(toward: string[], away: string[]): string {
  return `linear-gradient(${toward[1]}, ${toward[0]} 49.5%, #000 49.5%, #000 50.5%, ${away[0]} 50.5%, ${away[1]})`
}

/** Rates that are offered [Hz]. */
export const RATES = [1000, 1500, 2000, 3000, 4000, 6000, 8000, 12000]
/** Angles of the waves that are offered [rad]. */
export const STEERS = [-0.262, -0.175, 0, 0.175, 0.262]
