// M-mode: one line of the picture against time. It comes from the picture's own frames, so it is as fast as they are.
import type { Frame } from './frame'

/** Across the strip [s]. */
export const SPAN = 6
/** A gap between frames longer than this is left black: nobody knows what was there [s]. */
const GAP = 0.35
/** Columns of the strip. */
const WIDE = 600

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
}
