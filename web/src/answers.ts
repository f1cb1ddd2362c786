// The answer key over the picture: labels to pixels. Edges are drawn in full, insides as a tint, what has no color not at all.
import type { AnswerKeyNow } from './messages'

/** Cover of a pixel inside a structure, and at its edge. */
const INSIDE = 96
const EDGE = 255

/** The labels of an answer, row by row, as the server had them before it deflated them. */
export async function labelsOf(answer: AnswerKeyNow): Promise<Uint8Array<ArrayBuffer>> {
  const deflated = Uint8Array.from(atob(answer.labels), (one) => one.charCodeAt(0))
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate'))
  const labels = new Uint8Array(await new Response(stream).arrayBuffer())
  if (labels.length !== answer.rows * answer.columns) throw new Error('an answer came incomplete')
  return labels
}

/** Red, green, blue and cover of each pixel, row by row. */
export function tinted(labels: Uint8Array, columns: number, colors: string[]): Uint8ClampedArray<ArrayBuffer> {
  const rgb = colors.map((color) => (color ? [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)) : null))
  const out = new Uint8ClampedArray(4 * labels.length)
  labels.forEach((label, index) => {
    const color = label ? rgb[label - 1] : null
    if (!color) return
    const inner = [1, -1, columns, -columns].every((step) => (labels[index + step] ?? label) === label)
    out.set([...color, inner ? INSIDE : EDGE], 4 * index)
  })
  return out
}
