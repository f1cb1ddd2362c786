// The screen of a real scanner, through the browser's own camera interface: cropped, grey, frame by frame to the server, each
// sent when the one before has arrived, so that what waits is never old.

/** Corners of what is kept, in pixels of the screen: left, top, right, bottom. */
export type Crop = [number, number, number, number]

export interface Ruler {
  /** Places of two of its marks, in pixels of the screen. */
  marks: [[number, number], [number, number]]
  /** Between them [mm]. */
  millimeters: number
}

/** Largest side that is sent [pixels]; a larger crop is made smaller by a whole share of it. */
const MOST = 960
/** Smallest side that is taken [pixels]. */
export const LEAST = 32

export class Grab {
  /** Frames sent in the last second. */
  hertz = $state(0)
  /** Why it is grabbed no more; null while it is. */
  problem = $state<string | null>(null)
  running = $state(false)
  /** Number of the stream that it is sent to. */
  stream = -1

  private video = document.createElement('video')
  private canvas = document.createElement('canvas')
  private times: number[] = []

  constructor(
    private readonly media: MediaStream,
    private readonly crop: Crop,
    private readonly ruler: Ruler | null,
    private readonly name: string,
  ) {
    this.video.muted = true
    this.video.srcObject = media
    for (const track of media.getVideoTracks()) track.addEventListener('ended', () => this.stop('The grabber is gone: was its cable pulled?'))
  }

  /** Pixels of the screen for one that is sent. */
  get shrunk(): number {
    const [left, top, right, bottom] = this.crop
    return Math.max(1, Math.max(right - left, bottom - top) / MOST)
  }

  /** What the server is to expect. */
  get settings(): { name: string; rows: number; columns: number; spacing_mm: number | null } {
    const [left, top, right, bottom] = this.crop
    return {
      name: this.name.slice(0, 80) || 'grabber',
      rows: Math.round((bottom - top) / this.shrunk),
      columns: Math.round((right - left) / this.shrunk),
      spacing_mm: this.ruler ? spacingOf(this.ruler) * this.shrunk : null,
    }
  }

  /** Send frames to the stream of this number until something ends it. */
  async run(stream: number): Promise<void> {
    this.stream = stream
    const { rows, columns } = this.settings
    const [left, top, right, bottom] = this.crop
    ;[this.canvas.width, this.canvas.height] = [columns, rows]
    const context = this.canvas.getContext('2d', { alpha: false, willReadFrequently: true })
    if (!context) return this.stop('This browser cannot read the picture.')
    this.running = true
    await this.video.play()
    while (this.running) {
      await this.next()
      if (!this.running) return
      context.drawImage(this.video, left, top, right - left, bottom - top, 0, 0, columns, rows)
      const colored = context.getImageData(0, 0, columns, rows).data
      const grey = new Uint8Array(rows * columns)
      for (let index = 0, at = 0; index < grey.length; index++, at += 4)
        grey[index] = (77 * colored[at]! + 150 * colored[at + 1]! + 29 * colored[at + 2]!) >> 8
      try {
        const answer = await fetch(`/api/grabber/frame?stream=${stream}`, { method: 'POST', body: grey, headers: { 'content-type': 'application/octet-stream' } })
        if (answer.status === 409) return this.stop(null)
        if (!answer.ok) return this.stop('The server did not take the frame.')
      } catch {
        return this.stop('The server did not answer.')
      }
      const now = performance.now()
      this.times = [...this.times.filter((time) => now - time < 1000), now]
      this.hertz = this.times.length
    }
  }

  private wake: () => void = () => {}

  /** The screen's next frame, or the end. */
  private next(): Promise<void> {
    return new Promise((done) => {
      this.wake = done
      this.video.requestVideoFrameCallback(() => done())
    })
  }

  /** Grab no more, and let go of the device; why, where nobody asked for it. */
  stop(problem: string | null = null): void {
    this.running = false
    this.wake()
    this.problem = problem
    for (const track of this.media.getTracks()) track.stop()
    this.video.srcObject = null
  }
}

/** Millimeters of a pixel of the screen, from two marks of its ruler. */
export function spacingOf({ marks: [one, other], millimeters }: Ruler): number {
  return millimeters / Math.hypot(other[0] - one[0], other[1] - one[1])
}
