// What a hand marks on the held picture. It lives as long as the picture is held: on another picture the same places are others.
import { NEEDED, whole, type Kind, type Mark, type Measure } from './measure'

export class Calipers {
  /** What the next marks make; null while nothing is measured. */
  kind = $state<Kind | null>(null)
  measures = $state<Measure[]>([])
  /** Marks of the one that is begun. */
  begun = $state<Mark[]>([])
  /** Size of a pixel of the screen, as the coarsest mark of the one that is begun was put. */
  screen = 0
  /** Where keys would put the next mark; null until they were used. */
  cursor = $state<Mark | null>(null)

  choose(kind: Kind): void {
    // the cursor of the strip is no place of the picture
    if ((kind === 'interval') !== (this.kind === 'interval')) this.cursor = null
    this.kind = kind
    this.begun = []
  }

  /** Put a mark; a second one on the same place ends an area, as one on its first mark does. */
  mark(at: Mark, screen: number, near = 0): void {
    if (!this.kind) return
    const close = (one: Mark | undefined) => one !== undefined && Math.hypot(one[0] - at[0], one[1] - at[1]) <= near
    if (this.kind === 'area' && this.begun.length >= NEEDED.area && (close(this.begun[0]) || close(this.begun.at(-1)))) {
      this.end()
      return
    }
    if (close(this.begun.at(-1))) return
    this.screen = this.begun.length ? Math.max(this.screen, screen) : screen
    this.begun = [...this.begun, at]
    if (this.kind !== 'area' && this.begun.length === NEEDED[this.kind]) this.end()
  }

  /** End the one that is begun, where it is whole. */
  end(): void {
    if (!this.kind) return
    const one = { kind: this.kind, marks: this.begun, screen: this.screen }
    if (!whole(one)) return
    this.measures = [...this.measures, one]
    this.begun = []
  }

  /** Move one mark of a measure. */
  shift(measure: number, mark: number, to: Mark, screen: number): void {
    this.measures = this.measures.map((one, index) => (index === measure ? { ...one, screen: Math.max(one.screen, screen), marks: one.marks.map((was, at) => (at === mark ? to : was)) } : one))
  }

  /** Take the last mark back, or the last measure where none is begun. */
  undo(): void {
    if (this.begun.length) this.begun = this.begun.slice(0, -1)
    else this.measures = this.measures.slice(0, -1)
  }

  /** Measure no more, and keep what was measured. */
  rest(): void {
    this.kind = null
    this.begun = []
  }

  /** The picture goes on: nothing that was marked is true of the next. */
  clear(): void {
    this.rest()
    this.measures = []
    this.cursor = null
  }
}
