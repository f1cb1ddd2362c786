// One frame as it comes over the wire: a header of fixed size, then rows x columns grey bytes.
import { HEADER_BYTES, HELD_BACK, MAGIC, METERS, SIMULATED, VERSION } from './messages'

export interface Frame {
  number: number
  /** Frames this page was not sent, as the server counts them. */
  lost: number
  simulated: boolean
  unit: 'm' | 'px'
  rows: number
  columns: number
  /** On the source's clock [s]. */
  sourceTime: number
  /** When it was finished, seconds since 1970 [s]. */
  made: number
  /** When the earliest input was made that this frame is the first to obey, seconds since 1970; null where none was [s]. */
  asked: number | null
  /** What was left out of it, because the machine was too slow. */
  heldBack: string[]
  /** Axial and lateral of the first pixel [unit]. */
  origin: [number, number]
  /** Between rows and between columns [unit]. */
  step: [number, number]
  pixels: Uint8Array<ArrayBuffer>
}

export function unpack(buffer: ArrayBuffer): Frame {
  const view = new DataView(buffer)
  const magic = String.fromCharCode(view.getUint8(0), view.getUint8(1), view.getUint8(2), view.getUint8(3))
  if (magic !== MAGIC || view.getUint16(4, true) !== VERSION) throw new Error('not a frame that this page knows')
  const flags = view.getUint16(6, true)
  const rows = view.getUint16(16, true)
  const columns = view.getUint16(18, true)
  if (buffer.byteLength !== HEADER_BYTES + rows * columns) throw new Error('a frame came incomplete')
  const waited = view.getUint32(20, true)
  const numbers = [0, 1, 2, 3, 4, 5].map((index) => view.getFloat64(24 + 8 * index, true)) as [
    number, number, number, number, number, number,
  ]
  return {
    number: view.getUint32(8, true),
    lost: view.getUint32(12, true),
    simulated: (flags & SIMULATED) !== 0,
    unit: flags & METERS ? 'm' : 'px',
    rows,
    columns,
    sourceTime: numbers[0],
    made: numbers[1],
    asked: waited ? numbers[1] - (waited - 1) / 1000 : null,
    heldBack: HELD_BACK.filter(([, flag]) => flags & flag).map(([name]) => name),
    origin: [numbers[2], numbers[3]],
    step: [numbers[4], numbers[5]],
    pixels: new Uint8Array(buffer, HEADER_BYTES),
  }
}
