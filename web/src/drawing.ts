// The drawing list of the server, laid on the screen: the same lines and labels that the PNG has.

type Point = [number, number]

/** What a picture of real tissue bears, as `display/overlay.py` writes it. */
export const NOTICE = 'research and education, not a medical device'

export interface Stroke {
  color: string
  width: number
  dash: number[]
  opacity: number
  double: boolean
}

export interface Line {
  role: string
  name: string
  points: Point[]
  stroke: Stroke
  closed: boolean
  fill_opacity: number
}

export interface Label {
  role: string
  text: string
  detail: string
  at: Point
  anchor: Point | null
  color: string
  unknown: boolean
}

export interface Drawing {
  unit: 'm' | 'px'
  lines: Line[]
  labels: Label[]
  title: string | null
  notice: string | null
}

/** Where the picture lies on the screen: pixels for each unit, and the edge of its first pixel. */
export interface Place {
  scale: [number, number]
  edge: [number, number]
  size: [number, number]
}

export interface ShownLine extends Line {
  path: string
}

export interface ShownLabel extends Label {
  left: number
  top: number
  width: number
  height: number
  /** From the plate to what it is about, where there is a leader. */
  leader: string | null
}

export function onScreen(point: Point, place: Place): [number, number] {
  return [(point[1] - place.edge[1]) * place.scale[1], (point[0] - place.edge[0]) * place.scale[0]]
}

export function shownLines(drawing: Drawing, place: Place): ShownLine[] {
  return drawing.lines.map((line) => {
    const corners = line.points.map((point) => onScreen(point, place).map((value) => value.toFixed(1)).join(' '))
    return { ...line, path: `M${corners.join('L')}${line.closed ? 'Z' : ''}` }
  })
}

interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

/** Move a plate up or down until it covers none of those placed before. */
function free(box: Box, taken: Box[], height: number): Box {
  const step = (box.bottom - box.top) / 2
  for (let turn = 0; turn < 80; turn++) {
    const shift = step * Math.ceil(turn / 2) * (turn % 2 ? -1 : 1)
    const moved = { ...box, top: box.top + shift, bottom: box.bottom + shift }
    const apart = taken.every(
      (other) => moved.right < other.left || moved.left > other.right || moved.bottom < other.top || moved.top > other.bottom,
    )
    if (apart && moved.top >= 0 && moved.bottom <= height) return moved
  }
  return box
}

export function shownLabels(
  drawing: Drawing,
  place: Place,
  font: number,
  widthOf: (text: string, quiet: boolean) => number,
): ShownLabel[] {
  const [width, height] = place.size
  // The corners belong to the picture's own words.
  const taken: Box[] = [
    { left: 0, top: 0, right: width, bottom: 2.4 * font },
    { left: 0.6 * width, top: 0, right: width, bottom: 4.8 * font }, // where it is narrow they take two lines
    { left: 0.5 * width, top: height - 2.4 * font, right: width, bottom: height },
  ]
  return drawing.labels.map((label) => {
    const full = widthOf(label.text, false) + (label.detail ? 0.5 * font + widthOf(label.detail, true) : 0) + 1.1 * font
    const tall = 1.6 * font
    const [x, y] = onScreen(label.at, place)
    const wanted = label.role === 'scale' ? x : x - full / 2
    const left = Math.min(Math.max(wanted, 4), Math.max(width - full - 4, 4))
    const top = Math.min(Math.max(y - tall / 2, 4), height - tall - 4)
    const box = free({ left, top, right: left + full, bottom: top + tall }, taken, height)
    taken.push(box)
    let leader: string | null = null
    if (label.anchor) {
      const [ax, ay] = onScreen(label.anchor, place)
      const sx = Math.min(Math.max(ax, box.left + 4), box.right - 4)
      leader = `M${sx.toFixed(1)} ${(ay > box.bottom ? box.bottom : box.top).toFixed(1)}L${ax.toFixed(1)} ${ay.toFixed(1)}`
    }
    return { ...label, left: box.left, top: box.top, width: full, height: tall, leader }
  })
}
