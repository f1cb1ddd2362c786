// M-mode: one line of the picture against time. It comes from the picture's own frames, so it is as fast as they are.
import type { Frame } from './frame'

/** Across the strip [s]. */
export const SPAN = 6
/** A gap between frames longer than this is left black: nobody knows what was there [s]. */
const GAP = 0.35
/** Columns of the strip. */
const WIDE = 600

/** Above, right, below and left of a strip that is kept as a picture [px]. */
const EDGE = [40, 40, 76, 80] as const
/** Of the strip in it [px]. */
const TALL = 480

/** What is written around a strip that is kept. */
export interface Words {
  above: [string, string]
  below: string
  /** Top and height of what it shows [m, or pixels where no spacing is known]. */
  depth: [number, number]
  inMeters: boolean
}

export class Strip {
  readonly canvas = document.createElement('canvas')
  private readonly context: CanvasRenderingContext2D
  private readonly column = document.createElement('canvas')
  private last: { number: number; time: number; line: number; rows: number } | null = null
  /** Columns that time has gone on by and that were not drawn yet. */
  private left = 0
  /** Between two frames as they come, averaged over the last ten [s]; 0 before two came. */
  apart = 0

  constructor() {
    const context = this.canvas.getContext('2d', { alpha: false })
    if (!context) throw new Error('no canvas')
    this.context = context
    this.canvas.setAttribute('aria-hidden', 'true')
    ;[this.canvas.width, this.canvas.height, this.column.width] = [WIDE, 1, 1]
  }

  /** Begin anew. */
  clear(): void {
    this.last = null
    this.left = 0
    this.context.fillStyle = '#000'
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height)
  }

  /** Take the line of a frame, as a share of its width; another line, source or depth begins anew. */
  add(frame: Frame, line: number): void {
    const { rows, columns, pixels } = frame
    if (rows !== this.canvas.height) {
      this.canvas.height = this.column.height = rows
      this.clear()
    }
    const before = this.last
    if (before && (frame.number < before.number || line !== before.line)) this.clear()
    if (before && frame.number === before.number) return
    const passed = this.last ? frame.made - this.last.time : 0
    if (passed > 0) this.apart = this.apart ? 0.9 * this.apart + 0.1 * passed : passed
    this.last = { number: frame.number, time: frame.made, line, rows }
    this.left += (passed * WIDE) / SPAN
    const steps = this.last && before ? Math.min(Math.floor(this.left), WIDE) : 1
    if (steps < 1) return
    this.left = before ? this.left - steps : 0
    this.context.drawImage(this.canvas, -steps, 0)
    const at = Math.min(Math.max(Math.round(line * (columns - 1)), 0), columns - 1)
    const inner = this.column.getContext('2d')!
    const data = new ImageData(1, rows)
    for (let row = 0; row < rows; row++) data.data.set([pixels[row * columns + at]!, pixels[row * columns + at]!, pixels[row * columns + at]!, 255], 4 * row)
    inner.putImageData(data, 0, 0)
    const known = passed > GAP ? 1 : steps
    this.context.fillStyle = '#000'
    this.context.fillRect(WIDE - steps, 0, steps, rows)
    this.context.drawImage(this.column, WIDE - known, 0, known, rows)
  }

  /** Draw the strip as a picture to keep: what it is of above, seconds and depth at its edges, how to read it below. */
  picture(words: Words): HTMLCanvasElement {
    const out = document.createElement('canvas')
    ;[out.width, out.height] = [EDGE[3] + 2 * WIDE + EDGE[1], EDGE[0] + TALL + EDGE[2]]
    const to = out.getContext('2d', { alpha: false })!
    const [left, top] = [EDGE[3], EDGE[0]]
    to.drawImage(this.canvas, left, top, 2 * WIDE, TALL)
    to.font = '20px "DejaVu Sans", system-ui, sans-serif'
    to.fillStyle = '#fff'
    to.textBaseline = 'middle'
    to.fillText(words.above[0], left, top / 2, 1.3 * WIDE)
    to.textAlign = 'right'
    to.fillText(words.above[1], left + 2 * WIDE, top / 2, 0.6 * WIDE)
    const [first, size] = words.depth
    const unit = words.inMeters ? 0.01 : 100
    for (let k = Math.ceil(first / unit); k * unit <= first + size; k++) {
      const y = top + ((k * unit - first) / size) * TALL
      to.fillRect(left - 8, y, 8, 1)
      if (y > top + 10 && y < top + TALL - 10) to.fillText(words.inMeters ? `${k} cm` : `${k * unit} px`, left - 12, y)
    }
    to.textAlign = 'center'
    for (let second = 0; second <= SPAN; second++) {
      const x = left + (second / SPAN) * 2 * WIDE
      to.fillRect(Math.min(x, left + 2 * WIDE - 1), top + TALL, 1, 8)
      to.fillText(second === SPAN ? '0 s' : `−${SPAN - second}`, x, top + TALL + 20)
    }
    to.textAlign = 'left'
    to.fillText(words.below, left, top + TALL + 52, 2 * WIDE)
    return out
  }
}
