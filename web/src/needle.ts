// The needle on the image, as the tracker tells it: two rails that frame its echo, a ring that says what is known of the tip.
import { onScreen, type Place } from './drawing'
import type { TrackNow } from './messages'

/** A tip older than this is not seen any more [s]. */
const FRESH = 0.5

export type TipState = 'seen' | 'off plane' | 'lost' | 'doubted'

export interface Needle {
  state: TipState
  /** Each side of the shaft, as a path; without the last 10 mm where the tip is not known. */
  rails: [string, string]
  fading: [string, string]
  /** Marks outside the shaft each 5 mm from the tip, longer each 10. */
  ticks: string
  tip: [number, number]
  /** Of the 95 % region: half axes [px] and turn [degrees]. */
  ring: [number, number, number]
  /** Of what is told [s]. */
  age: number
}

const path = (a: [number, number], b: [number, number]) => `M${a[0].toFixed(1)} ${a[1].toFixed(1)}L${b[0].toFixed(1)} ${b[1].toFixed(1)}`

export function tipState(track: TrackNow): TipState {
  if (track.state !== 'tip' || track.age > FRESH) return 'lost'
  if (track.doubt) return 'doubted'
  return track.in_plane ? 'seen' : 'off plane'
}

/** Lay a tracked needle on the screen; null where its place was never known. */
export function laid(track: TrackNow, place: Place): Needle | null {
  if (!track.tip || !track.tail || !track.ellipse) return null
  const tip = onScreen([track.tip[0]!, track.tip[1]!], place)
  const tail = onScreen([track.tail[0]!, track.tail[1]!], place)
  const scale = place.scale[0]
  const way: [number, number] = [tail[0] - tip[0], tail[1] - tip[1]]
  const long = Math.hypot(...way)
  if (long < 1) return null
  const along: [number, number] = [way[0] / long, way[1] / long]
  const across: [number, number] = [-along[1], along[0]]
  const half = Math.max((track.diameter * scale) / 2, 1.5) + 1.5
  const at = (distance: number, side: number): [number, number] => [
    tip[0] + along[0] * distance + across[0] * side,
    tip[1] + along[1] * distance + across[1] * side,
  ]
  const state = tipState(track)
  const fade = state === 'seen' ? 0 : Math.min(0.01 * scale, long)
  const ticks: string[] = []
  for (let mm = 5; mm / 1000 < long / scale; mm += 5) {
    const reach = mm % 10 === 0 ? 7 : 4
    for (const side of [1, -1]) ticks.push(path(at((mm * scale) / 1000, side * half), at((mm * scale) / 1000, side * (half + reach))))
  }
  return {
    state,
    rails: [path(at(fade, half), at(long, half)), path(at(fade, -half), at(long, -half))],
    fading: [path(at(0, half), at(fade, half)), path(at(0, -half), at(fade, -half))],
    ticks: ticks.join(''),
    tip,
    ring: [Math.max(track.ellipse[0]! * scale, 4), Math.max(track.ellipse[1]! * scale, 4), (track.ellipse[2]! * 180) / Math.PI],
    age: state === 'lost' ? (track.tip_age ?? track.age) : track.age,
  }
}
