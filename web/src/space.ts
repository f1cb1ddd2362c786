// The space view: what is held and seen, in the patient's axes (x along the skin, y to the head, z down), as lines on a plane.
//
// The eye looks at (0, 0, MIDDLE) from the foot's side, turned by `around` about the vertical and raised by `above`: parallel
// projection, so lengths along one direction stay comparable. Nothing is drawn that is not told: an outline lies in the plane of the
// picture that it was seen in, and nobody knows how it goes on beside it.
import type { ProbeNow } from './messages'

export type Point3 = [number, number, number]
export interface Eye {
  /** [rad] */
  around: number
  /** [rad] */
  above: number
}

export const VIEWS: Record<'free' | 'top' | 'side', Eye> = {
  free: { around: -0.55, above: 0.5 },
  top: { around: 0, above: Math.PI / 2 },
  side: { around: 0, above: 0 },
}

/** Depth of what lies in the middle of the view [m]. */
const MIDDLE = 0.008

/** Right and down on the view, and toward the eye [m]. */
export function seen([x, y, z]: Point3, { around, above }: Eye): Point3 {
  const [c, s] = [Math.cos(around), Math.sin(around)]
  const [right, ahead, up] = [c * x + s * y, -s * x + c * y, MIDDLE - z]
  return [right, -(ahead * Math.sin(above) + up * Math.cos(above)), up * Math.sin(above) - ahead * Math.cos(above)]
}

/** A place of the probe's axes (lateral, elevation, axial) in the patient's: Rz(rotation) Rx(tilt) Ry(rock) p + (x, y, 0). */
export function ofProbe([lateral, elevation, axial]: Point3, probe: Pick<ProbeNow, 'x' | 'y' | 'rotation' | 'tilt' | 'rock'>): Point3 {
  const [a, b] = [Math.cos(probe.rock), Math.sin(probe.rock)]
  const [px, pz] = [a * lateral + b * axial, -b * lateral + a * axial]
  const [c, d] = [Math.cos(probe.tilt), Math.sin(probe.tilt)]
  const [qy, qz] = [c * elevation - d * pz, d * elevation + c * pz]
  const [e, f] = [Math.cos(probe.rotation), Math.sin(probe.rotation)]
  return [e * px - f * qy + probe.x, f * px + e * qy + probe.y, qz]
}

/** Unit vector of a needle that is held at an angle to the skin, out of the image plane by its yaw. */
export function heading(rotation: number, angle: number, yaw: number): Point3 {
  return [Math.cos(angle) * Math.cos(rotation + yaw), Math.cos(angle) * Math.sin(rotation + yaw), Math.sin(angle)]
}

/** A path through places, in millimeters of the view. */
export function path(places: Point3[], eye: Eye, closed = false): string {
  const corners = places.map((one) => seen(one, eye).slice(0, 2).map((value) => (1000 * value).toFixed(2)).join(' '))
  return `M${corners.join('L')}${closed ? 'Z' : ''}`
}

/** The matrix (as of CSS) that lays a picture of so many columns and rows on the plane of the probe: parallel rays bend nothing. */
export function laidOn(columns: number, rows: number, left: number, right: number, deep: number, probe: ProbeNow, eye: Eye): [number, number, number, number, number, number] {
  const at = (lateral: number, axial: number) => seen(ofProbe([lateral, 0, axial], probe), eye)
  const [corner, across, down] = [at(left, 0), at(right, 0), at(left, deep)]
  return [(across[0] - corner[0]) / columns, (across[1] - corner[1]) / columns, (down[0] - corner[0]) / rows, (down[1] - corner[1]) / rows, corner[0], corner[1]]
}

/** Faces of a box between two corners of the probe's axes, the nearest to the eye last. */
export function box(low: Point3, high: Point3, probe: ProbeNow, eye: Eye): string[] {
  const corner = (bits: number): Point3 =>
    ofProbe([0, 1, 2].map((axis) => ((bits >> axis) & 1 ? high[axis]! : low[axis]!)) as Point3, probe)
  const faces = [0, 1, 2].flatMap((axis) =>
    [0, 1].map((side) => {
      const [p, q] = [0, 1, 2].filter((one) => one !== axis) as [number, number]
      const base = side << axis
      return [base, base | (1 << p), base | (1 << p) | (1 << q), base | (1 << q)].map(corner)
    }),
  )
  const near = (face: Point3[]) => face.reduce((sum, one) => sum + seen(one, eye)[2], 0)
  return faces.sort((one, other) => near(one) - near(other)).map((face) => path(face, eye, true))
}
