// Lengths, angles and areas that a hand marks on a held picture, with how sure they are of the hand and of the pixels.
//
// A mark at (axial, lateral) is as sure as the pixel it lies in and as the hand on this screen: a variance of step^2 / 12 of the
// picture plus one screen pixel squared, in each direction; variances go through the formulas to first order, marks being
// independent. What the machine itself blurs, and its speed of sound, is not known here, and said so.

export type Kind = 'distance' | 'angle' | 'area' | 'interval'
/** Down and to the right, in the unit of the picture; of an interval down, and after the left edge of the strip [s]. */
export type Mark = [number, number]

export interface Measure {
  kind: Kind
  marks: Mark[]
  /** Size of a pixel of the screen on which the coarsest of its marks was put. */
  screen: number
}

export const KINDS: [Kind, string, string][] = [
  ['distance', 'Distance', 'Two marks'],
  ['angle', 'Angle', 'Three marks, the corner second'],
  ['area', 'Area', 'Marks around it; the first again, or the last twice, ends it'],
  ['interval', 'Interval', 'Two marks on the strip of M-mode'],
]

export interface Value {
  /** [unit], [unit^2] or [rad]. */
  value: number
  /** Half of the 95 % interval. */
  half: number
}

/** Marks that make a measure whole; an area takes as many as one likes, three at least. */
export const NEEDED: Record<Kind, number> = { distance: 2, angle: 3, area: 3, interval: 2 }

/** Standard deviations to each side that hold 95 %. */
const Z = 1.96

export const whole = (one: Measure): boolean => one.marks.length >= NEEDED[one.kind]

/** Standard deviation of a mark, down and to the right, from the steps of the picture and the size of a screen pixel, in one unit. */
export function spreadOf(step: [number, number], screen: number): [number, number] {
  return [Math.hypot(step[0] / Math.sqrt(12), screen), Math.hypot(step[1] / Math.sqrt(12), screen)]
}

/** Of two marks on a strip of M-mode: how long apart [s], how far apart in depth [unit], and how often that is in a minute. */
export function intervalOf(marks: Mark[], [down, later]: [number, number]): { time: Value; depth: Value; rate: Value | null } {
  const [a, b] = marks as [Mark, Mark]
  const [time, depth] = [Math.abs(b[1] - a[1]), Math.abs(b[0] - a[0])]
  const half = Z * Math.SQRT2 * later
  const rate = time > half ? { value: 60 / time, half: (60 / time ** 2) * half } : null
  return { time: { value: time, half }, depth: { value: depth, half: Z * Math.SQRT2 * down }, rate }
}

/** The same in words. */
export function intervalWords(marks: Mark[], spread: [number, number], unit: 'm' | 'px'): string {
  const { time, depth, rate } = intervalOf(marks, spread)
  const often = rate ? ` · ${rate.value.toFixed(0)} ±${Math.max(rate.half, 1).toFixed(0)} a minute` : ''
  return `${time.value.toFixed(2)} ±${time.half.toFixed(2)} s${often} · ${words('distance', depth, unit)} in depth`
}

/** Value of a whole measure; null where a length in it is zero, so that it has no direction. */
export function valueOf({ kind, marks }: Pick<Measure, 'kind' | 'marks'>, [down, right]: [number, number]): Value | null {
  if (kind === 'interval') return intervalOf(marks, [down, right]).time
  if (kind === 'distance') {
    const [a, b] = marks as [Mark, Mark]
    const [y, x] = [b[0] - a[0], b[1] - a[1]]
    const value = Math.hypot(y, x)
    if (value === 0) return null
    return { value, half: Z * Math.SQRT2 * Math.hypot((y / value) * down, (x / value) * right) }
  }
  if (kind === 'angle') {
    const [a, corner, b] = marks as [Mark, Mark, Mark]
    const arms = [a, b].map((mark) => [mark[0] - corner[0], mark[1] - corner[1]] as Mark)
    const long = arms.map((arm) => arm[0] ** 2 + arm[1] ** 2)
    if (long.some((one) => one === 0)) return null
    // the bearing of an arm turns by (x dy - y dx) / (x^2 + y^2)
    const turns = arms.map((arm, index) => [arm[1] / long[index]!, -arm[0] / long[index]!] as Mark)
    const [first, second] = turns as [Mark, Mark]
    const between = Math.atan2(arms[0]![1] * arms[1]![0] - arms[0]![0] * arms[1]![1], arms[0]![0] * arms[1]![0] + arms[0]![1] * arms[1]![1])
    const parts = [first, second, [second[0] - first[0], second[1] - first[1]] as Mark]
    const variance = parts.reduce((sum, one) => sum + (one[0] * down) ** 2 + (one[1] * right) ** 2, 0)
    return { value: Math.abs(between), half: Z * Math.sqrt(variance) }
  }
  let twice = 0
  let variance = 0
  marks.forEach((mark, index) => {
    const before = marks[(index + marks.length - 1) % marks.length]!
    const after = marks[(index + 1) % marks.length]!
    twice += mark[1] * after[0] - after[1] * mark[0]
    variance += (0.5 * (after[1] - before[1]) * down) ** 2 + (0.5 * (after[0] - before[0]) * right) ** 2
  })
  return twice === 0 ? null : { value: Math.abs(twice) / 2, half: Z * Math.sqrt(variance) }
}

/** Whether the outline of an area crosses itself, so that its area is none. */
export function crosses(marks: Mark[]): boolean {
  const side = (a: Mark, b: Mark, c: Mark) => Math.sign((b[1] - a[1]) * (c[0] - a[0]) - (b[0] - a[0]) * (c[1] - a[1]))
  return marks.some((a, i) =>
    marks.some((c, j) => {
      if (Math.abs(i - j) < 2 || Math.abs(i - j) === marks.length - 1) return false
      const [b, d] = [marks[(i + 1) % marks.length]!, marks[(j + 1) % marks.length]!]
      return side(a, b, c) !== side(a, b, d) && side(c, d, a) !== side(c, d, b)
    }),
  )
}

/** Value with unit and interval, in words: as many digits as the interval is worth. */
export function words(kind: Kind, of: Value, unit: 'm' | 'px'): string {
  const [factor, name] =
    kind === 'angle' ? [180 / Math.PI, '°'] : unit === 'px' ? [1, kind === 'area' ? 'px²' : 'px'] : kind === 'area' ? [1e6, 'mm²'] : [1e3, 'mm']
  const half = factor * of.half
  const digits = half < 0.095 ? 2 : half < 9.5 ? 1 : 0
  const gap = name === '°' ? '' : ' '
  return `${(factor * of.value).toFixed(digits)} ±${half.toFixed(digits)}${gap}${name}`
}
