// What the page knows at one moment, and since when. Nothing here outlives its evidence: what is too old is unknown.
import { unpack, type Frame } from './frame'
import type { Drawing } from './drawing'
import type { AnswerKeyNow, Carried, CarriedLine, Color, CueRow, Flow, FromPage, FromServer, Guidance, Hands, HazardRow, Hello, NearRow, Patient, ProbeNow, RecordingName, Reference, RegionName, ReportNow, ThreadNow, TrackNow } from './messages'
import { Calipers } from './calipers.svelte'
import type { Grab } from './grab.svelte'
import type { Tint } from './picture'
import { Sound, type Heard } from './sound'
import { tipState } from './needle'
import type { Hand, Move } from './moves'

/** A picture older than this, or than three usual gaps between pictures, is stale [s]. */
const STALE = 0.25
/** A picture older than this, or than eight usual gaps, is lost [s]. */
const LOST = 1.0
/** Outlines made from a picture this much older than the one shown are drawn dashed [s]. */
const AGED = 1.2
/** … and are taken away [s]. */
const TOO_OLD = 3.0
/** Color of shots this much older than the picture, or newer, is none of it [s]. */
const COLOR_OLD = 0.6
/** A tip that was off the plane has been in it so long before the bar stops saying so [s]. */
const BACK = 1
/** Between two looks at the clock [s]. */
const LOOK = 0.1
/** An answer key of a frame this much older or newer than the one shown is none of it [s]. */
const KEY_OLD = 0.5
/** How far the answer key covers the picture when it is asked for. */
const DISCLOSED = 0.6
/** What belongs to a picture waits for the next one, and this long at most where none comes [s]. */
const NO_PICTURE = 0.05
const WITH_PICTURE: ReadonlySet<FromServer['type']> = new Set(['hands', 'guidance', 'carried', 'confirmed', 'flow', 'no_flow'])
/** Poses of the probe are remembered so long; the newest before is kept always [s]. */
const POSES = 10
/** Waits between attempts to reach the server [s]. */
const WAITS = [0.5, 1, 2, 3]

/** How often the page says that the syringe is still pressed; the server lets go after three of these [s]. */
const SAY_PRESSED = 0.2
/** One step of the stimulator [A]. */
const CURRENT_STEP = 0.05e-3

/** What is unknown by these has words of its own: a row of the table, the thread that waits for the tip. */
const OWN = ['clearance', 'tip']

const UNKNOWN = { known: false, clearance: 'unknown', interval_mm: null, keeps_margin: null }

export type Link = 'connecting' | 'open' | 'gone'
export type View = 'empty' | 'loading' | 'live' | 'stale' | 'lost' | 'frozen' | 'error' | 'disconnected'
export type Age = 'none' | 'fresh' | 'aged'

export interface Cue {
  level: 'next' | 'info' | 'unknown' | 'caution' | 'stop'
  action: string
  reason: string
  /** What the server holds of it; null for what the page says by itself. */
  row: CueRow | null
}

const seconds = () => Date.now() / 1000

export class Workstation {
  link = $state<Link>('connecting')
  retryIn = $state(0)
  hello = $state.raw<Hello | null>(null)
  guidance = $state.raw<Guidance | null>(null)
  /** How the outlines of the guidance have moved since, by the pictures. */
  carried = $state.raw<Carried | null>(null)
  /** What was seen of flow last. */
  flow = $state.raw<Flow | null>(null)
  /** What the picture truly shows, of a simulated patient that is practiced with. */
  key = $state.raw<AnswerKeyNow | null>(null)
  /** How far it covers the picture, 0..1. */
  disclosed = $state(DISCLOSED)
  /** How the greys of the picture are tinted, on this page alone. */
  tint = $state<Tint>('Grey')
  problem = $state<string | null>(null)
  /** Where the examination is in its thread; null before the server says so. */
  thread = $state.raw<ThreadNow | null>(null)
  readonly sound = new Sound()
  readonly calipers = new Calipers()
  /** What grabs the screen of a real machine; null while none is grabbed here. */
  grab = $state.raw<Grab | null>(null)
  /** From where the space is seen, and whether it is shown where there is no room for all. */
  space = $state<'free' | 'top' | 'side'>('free')
  spacious = $state(false)
  /** Sizes of structures, to be read beside what is measured. */
  references = $state.raw<Reference[]>([])
  heard = $state<Heard>('blocked')
  /** Left of a pause of the sound [s]. */
  pause = $state(0)
  bursts = $state(0)
  /** Whether the report is open. */
  reporting = $state(false)
  notice = $state<string | null>(null)
  offered = $state(0)
  /** How many times faster time goes than on the wall, or went in what is replayed. */
  compression = $state(1)
  watching = $state(0)
  /** Of the frame on the screen. */
  frame = $state.raw<Omit<Frame, 'pixels'> | null>(null)
  now = $state(seconds())
  drawn = $state(0)
  lostHere = $state(0)
  lostThere = $state(0)
  notDrawn = $state(0)
  latency = $state<{ middle: number; high: number } | null>(null)
  /** From a hand's input to the first frame that obeys it, drawn; null where no hand has moved [ms]. */
  reaction = $state<{ middle: number; high: number } | null>(null)
  /** Whether another patient is being compiled. */
  preparing = $state(false)
  /** Whether the last movement was held at the edge of the window. */
  atEdge = $state(false)
  /** How both hands are held, and what instruments say; null where what is shown cannot be held. */
  hands = $state.raw<Hands | null>(null)
  /** Where a recording has the needle. */
  replayed = $state.raw<TrackNow | null>(null)
  /** What the server advises, loudest first. */
  cues = $state.raw<CueRow[]>([])
  /** The active hand: keys and drags move this one. */
  hand = $state<Hand>('probe')
  /** Whether switching the stimulator on waits for its second press. */
  confirming = $state(false)
  /** How long it has been recorded [s]; null while it is not. */
  recorded = $state<number | null>(null)
  /** Why recording ended by itself. */
  recordingTrouble = $state<string | null>(null)
  upload = $state<{ name: string; share: number } | null>(null)

  /** The frame on the screen with its pixels, for who looks at it now and then. */
  shown: Frame | null = null
  /** Called with each frame to draw, in the browser's own frame. */
  onframe: (frame: Frame) => void = () => {}

  /** Where the probe was, and when this page heard it. */
  private poses: [number, ProbeNow][] = []

  /** Where the probe was at a time: the last that was told before; null where nobody remembers. */
  probeAt(time: number): ProbeNow | null {
    return this.poses.findLast(([told]) => told <= time)?.[1] ?? this.poses[0]?.[1] ?? null
  }

  private socket: WebSocket | null = null
  private waiting: Frame | null = null
  private scheduled = false
  /** Heard, with when, and not obeyed yet. */
  private withPicture: [FromServer, number][] = []
  private letGo: ReturnType<typeof setTimeout> | null = null
  private last = 0
  private arrived = 0
  private gap = 0.05
  private attempts = 0
  private latencies: number[] = []
  private reactions: number[] = []
  private drawnAt: number[] = []
  private retryAt = 0
  /** When the tip was last off the plane [s]. */
  private strayedAt = $state(0)

  constructor() {
    this.connect()
    setInterval(() => this.look(), 1000 * LOOK)
  }

  // --- what follows from it ---

  view: View = $derived.by(() => {
    if (this.link === 'gone') return 'disconnected'
    // trying again is not being there: what was seen before the link broke stays hidden until the server speaks
    if (this.link === 'connecting') return this.hello ? 'disconnected' : 'loading'
    if (this.problem) return 'error'
    if (!this.hello || this.hello.source === 'none') return 'loading'
    if (!this.frame) return 'loading'
    // a slow page may draw frames of before the freeze for a moment: it says frozen when the one that is held is drawn
    if (this.hello.frozen && this.frame.number >= (this.hello.held ?? 0)) return 'frozen'
    if (this.age > Math.max(LOST, 8 * this.gap)) return 'lost'
    return this.age > Math.max(STALE, 3 * this.gap) ? 'stale' : 'live'
  })

  /** Since the frame on the screen was finished [s]. */
  get age(): number {
    return this.frame ? Math.max(0, this.now - this.frame.made) : 0
  }

  /** How much older than the picture shown the one is that the outlines were made from [s]. */
  guidanceAge: number = $derived.by(() => {
    if (!this.guidance || !this.frame) return Infinity
    if (this.guidance.frame === this.frame.number) return 0
    return Math.abs(this.frame.made - this.guidance.made)
  })

  guidanceState: Age = $derived.by(() => {
    const seen = this.view === 'live' || this.view === 'frozen' || this.view === 'stale'
    if (!seen || !this.guidance?.drawing || this.guidance.procedure !== this.hello?.procedure) return 'none'
    if (this.guidanceAge > TOO_OLD) return 'none'
    return this.guidanceAge > AGED || this.view === 'stale' ? 'aged' : 'fresh'
  })

  drawing: Drawing | null = $derived(
    this.guidanceState === 'none' ? null : (this.guidance?.drawing as unknown as Drawing),
  )

  /** For each line of the drawing that was carried on: how far it went, or that nobody knows. */
  moved: Map<number, CarriedLine> = $derived(
    new Map(this.carried && this.carried.of === this.guidance?.frame ? this.carried.lines.map((one) => [one.line, one]) : []),
  )

  /** Whether this page may move anything: it holds the probe, or nobody does. A needle can be withdrawn without a picture. */
  mayMove: boolean = $derived(
    this.hands !== null &&
      (this.hands.pilot === null || this.hands.pilot === this.hands.you) &&
      this.link === 'open' &&
      !this.hello?.frozen,
  )

  /** Where the tracker has the needle, or had it where this is a recording. */
  track: TrackNow | null = $derived(this.hands ? this.hands.track : this.replayed)

  /** Whether a part of the needle is under the skin. */
  inside: boolean = $derived(
    (this.hands?.needle.inserted ?? 0) > 0 ||
      (this.track?.under_skin === null && (this.track.tip?.[0] ?? 0) > 0.002), // held by an agent, or when it was recorded
  )

  /** What is known of the tip, in words. */
  tip: { state: 'seen' | 'off plane' | 'lost' | 'doubted' | 'outside'; words: string; detail: string } | null = $derived.by(() => {
    if (!this.hands && !this.replayed) return null
    const { needle = null } = this.hands ?? {}
    const track = this.track
    if (!this.inside) return { state: 'outside', words: 'Needle outside', detail: needle ? 'Up arrow advances it' : 'as it was recorded' }
    const within = !needle ? 'as it was recorded' : needle.inserted > 0 ? `in ${deep(needle.inserted)} of ${(1000 * needle.length).toFixed(0)} mm` : 'held by an agent'
    const state = track && this.view !== 'lost' && this.view !== 'stale' && this.view !== 'disconnected' ? tipState(track) : 'lost'
    if (!track?.tip || state === 'lost') {
      const age = track?.tip_age != null ? `, last known ${track.tip_age.toFixed(1)} s ago` : ''
      return { state: 'lost', words: 'Tip unknown', detail: `${within}${age}` }
    }
    if (state === 'doubted') return { state, words: 'Tip doubted', detail: track.doubt }
    const depth = `depth ${(1000 * track.tip[0]!).toFixed(1)} mm`
    if (state === 'off plane') {
      return { state, words: 'Tip off the plane', detail: `by ${Math.abs(1000 * track.tip[2]!).toFixed(1)} mm · ${depth}` }
    }
    const wide = track.ellipse ? `±${(1000 * track.ellipse[0]!).toFixed(1)} mm · ` : ''
    return { state, words: track.shown ? 'Tip seen in plane' : 'Tip in plane, by tracker', detail: `${wide}${depth}` }
  })

  /** Every hazard: how near the needle is once it is inside, else how near the best path comes. */
  hazards: HazardRow[] = $derived.by(() => {
    if (!this.inside) return this.planned
    // what was planned is no distance of the needle, and a recording keeps none: its cues say what was known then
    if (!this.hands) return this.planned.map((row) => ({ ...row, ...UNKNOWN, reason: 'replayed: its cues say what was known' }))
    const near = this.hands.near
    const known = this.view === 'live' || this.view === 'frozen'
    if (!near.length) return this.planned.map((row) => ({ ...row, ...UNKNOWN, reason: 'needle and structures are not known together' }))
    return near.map((row) => nearRow(row, this.planned, known))
  })

  /** Every hazard of the plan; all of them unknown once the evidence is gone. */
  planned: HazardRow[] = $derived.by(() => {
    const rows = this.guidance?.procedure === this.hello?.procedure ? (this.guidance?.hazards ?? []) : []
    if (this.guidanceState !== 'none') return rows
    return rows.map((row) => ({ ...row, ...UNKNOWN, reason: 'picture gone: the one it was seen in is lost or too old' }))
  })

  /** Flow, as long as it belongs to the picture shown. */
  shownFlow: Flow | null = $derived(
    this.flow && this.frame && Math.abs(this.frame.made - this.flow.made) < COLOR_OLD && this.view !== 'lost' && this.view !== 'disconnected' && this.view !== 'error' ? this.flow : null,
  )

  /** How much older or newer than the picture shown the answer key is; null where there is none [s]. */
  keyAge: number | null = $derived(this.key?.state === 'ready' && this.frame ? Math.abs(this.frame.sourceTime - this.key.time) : null)

  /** The answer key, as long as it belongs to the picture shown. */
  shownKey: AnswerKeyNow | null = $derived(
    this.keyAge !== null && this.keyAge < KEY_OLD && (this.view === 'live' || this.view === 'frozen' || this.view === 'stale') ? this.key : null,
  )

  unknown: number = $derived(this.hazards.filter((row) => !row.known).length)

  /** What stands: the loudest first; among equals one that nobody took note of, and of what is unknown first that of which nothing else on the page speaks. */
  private loudest: CueRow | null = $derived.by(() => {
    const rank = ['info', 'unknown', 'caution', 'stop']
    const order = (row: CueRow) => 4 * rank.indexOf(row.level) + (row.level === 'unknown' && !OWN.includes(row.rule) ? 2 : 0) + (row.acknowledged_by === null ? 1 : 0)
    return this.cues.reduce<CueRow | null>((top, row) => (top && order(top) >= order(row) ? top : row), null)
  })

  /** Whether the loudest cue holds the thread: a distance that is unknown is counted, and does not. */
  private holds: boolean = $derived.by(() => {
    const row = this.loudest
    if (!row || row.level === 'info') return false
    return row.level !== 'unknown' || row.rule !== 'clearance' || this.thread === null
  })

  /** What holds the thread, in a word; null while nothing does. */
  held: string | null = $derived.by(() => {
    const level = this.cue.level
    if (this.thread === null || level === 'next') return null
    return level === 'stop' ? 'stop' : level === 'caution' ? 'caution' : 'unknown'
  })

  /** How many other cues stand, by level, in words. */
  others: string = $derived.by(() => {
    const rest = this.cues.filter((row) => (row !== this.loudest || !this.holds) && row.level !== 'info')
    const count = (level: string) => rest.filter((row) => row.level === level).length
    return (['stop', 'caution', 'unknown'] as const).filter(count).map((level) => `${count(level)} ${level}`).join(', ')
  })

  cue: Cue = $derived.by(() => {
    switch (this.view) {
      case 'disconnected':
        return {
          level: 'caution',
          row: null, action: 'Hold. Wait for the image.',
          reason: this.retryIn > 0 ? `Server gone. Reconnecting in ${Math.ceil(this.retryIn)} s.` : 'Reconnecting.',
        }
      case 'lost':
        return { level: 'caution', row: null, action: 'Hold. Wait for the image.', reason: `No frame for ${this.age.toFixed(1)} s.` }
      case 'error':
        return { level: 'caution', row: null, action: 'Choose another source.', reason: this.problem ?? 'The source stopped.' }
      case 'loading':
      case 'empty':
        return { level: 'next', row: null, action: 'Wait for the first image.', reason: 'The source is being prepared.' }
      default:
        if (this.loudest && this.holds)
          return { level: this.loudest.level as Cue['level'], action: this.loudest.do ?? this.loudest.message, reason: sentence(this.loudest.reason), row: this.loudest }
        if (this.recordingTrouble)
          return { level: 'caution', row: null, action: 'Recording has stopped. Free some space.', reason: sentence(this.recordingTrouble) }
        if (this.strayed)
          return { level: 'unknown', row: null, action: 'Bring the tip into the picture.', reason: this.tip?.state === 'off plane' ? 'Tip off the plane: no distance is known.' : 'It is in the plane again.' }
        if (this.thread) return this.nextOf(this.thread)
        if (this.guidanceState === 'none')
          return { level: 'next', row: null, action: 'Looking at the image.', reason: 'No structure is known yet.' }
        return { level: 'next', row: null, action: this.guidance?.next_step ?? '', reason: sentence(this.guidance?.reason ?? '') }
    }
  })

  /** Whether the tip lies off the plane, or did a second ago; the thread says it by itself once a block is performed. */
  private strayed: boolean = $derived.by(() => {
    const stage = this.thread?.stages.find((one) => one.state === 'now')?.id
    if (!this.inside || stage === 'perform' || stage === 'record' || stage === 'report') return false
    return this.tip?.state === 'off plane' || (this.tip?.state === 'seen' && this.now - this.strayedAt < BACK)
  })

  /** The next step; the hand that it needs is taken first. */
  private nextOf(thread: ThreadNow): Cue {
    if (thread.hand && thread.hand !== this.hand)
      return { level: 'next', row: null, action: `Press {${thread.hand === 'probe' ? 'P' : 'N'}} to take the ${thread.hand}.`, reason: thread.do.replace(/[{}]/g, '') }
    return { level: 'next', row: null, action: thread.do, reason: sentence(thread.why) }
  }

  /** Take where the thread is; the report opens by itself when it begins to be made. */
  private follow(thread: ThreadNow): void {
    const before = this.thread?.report
    this.thread = thread
    if (before !== undefined && before !== thread.report && thread.report === 'making') this.reporting = true
  }

  // --- what is asked for ---

  /** Go on in the thread; a reason where the stage is not done. */
  next(reason: string | null = null): void {
    this.say({ type: 'next', reason })
  }

  /** Call the structure at a place of the drawing by a name; null takes it away. */
  call(at: [number, number], name: string | null): void {
    this.say({ type: 'name', axial: at[0], lateral: at[1], name })
  }

  /** Look for flow as it is said, or no more. */
  color(wanted: Color): void {
    if (!this.hello?.color) return
    this.hello = { ...this.hello, color: wanted } // what the server makes of it comes with its next word
    this.say(wanted)
  }

  toggleColor(): void {
    const color = this.hello?.color
    if (color) this.color({ ...color, on: !color.on })
    else this.notice = 'what is shown gives no shots in which flow could be seen'
  }

  back(stage: string): void {
    this.say({ type: 'back', stage })
  }

  async report(): Promise<ReportNow | null> {
    try {
      const answer = await fetch('/api/report')
      return answer.ok ? ((await answer.json()) as ReportNow) : null
    } catch {
      return null
    }
  }

  say(message: FromPage): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message))
  }

  freeze(): void {
    this.say({ type: 'freeze', on: !this.hello?.frozen })
  }

  /** Take the calipers, holding the picture first; or lay them down. */
  measure(): void {
    if (!this.frame || this.link !== 'open') return
    if (this.calipers.kind) return this.calipers.rest()
    if (!this.hello?.frozen) this.freeze()
    this.wanted = true
    if (!this.references.length) void this.refer()
  }

  private wanted = false

  private async refer(): Promise<void> {
    try {
      const answer = await fetch('/api/references')
      if (answer.ok) this.references = (await answer.json()) as Reference[]
    } catch {
      // a measure stands without its reference
    }
  }

  turn(name: string, steps: number): void {
    const control = this.hello?.controls.find((one) => one.name === name)
    if (!control) return
    const value = Math.min(Math.max(control.value + steps * stepOf(name), control.low), control.high)
    this.say({ type: 'control', name, value: Math.round(value * 1e6) / 1e6 })
  }

  /** Show the space from the next side; after the last, and where there is little room, the buttons of the hands instead. */
  look3(): void {
    const views = ['free', 'top', 'side'] as const
    if (!this.spacious) this.spacious = true
    else if (this.space === 'side') [this.space, this.spacious] = ['free', false]
    else this.space = views[views.indexOf(this.space) + 1]!
  }

  /** Set a control to a value. */
  set(name: string, value: number): void {
    this.say({ type: 'control', name, value })
  }

  /** Move the hand that is active by a step. */
  move(step: Move): void {
    if (this.mayMove) this.say({ ...step, at: seconds() })
  }

  private pressing: ReturnType<typeof setInterval> | null = null

  private pulling = false

  /** Hold the syringe pressed, or drawn, saying so again and again, or let go: of what is held now, if it is told which. */
  press(on: boolean, draw?: boolean): void {
    if (!on && draw !== undefined && draw !== this.pulling) return
    if (on) this.pulling = draw === true
    if (this.pressing !== null) clearInterval(this.pressing)
    else if (!on) return
    this.pressing = null
    const say = () => this.say({ type: 'inject', on: on && this.mayMove, draw: this.pulling, flow: null })
    say()
    if (on && this.mayMove) this.pressing = setInterval(say, 1000 * SAY_PRESSED)
  }

  /** Press the syringe faster or slower from now on, by a step. */
  turnFlow(steps: number): void {
    const injector = this.hands?.injector
    if (!injector || !this.mayMove) return
    const flow = Math.min(Math.max(injector.flow + steps * injector.step, injector.slowest), injector.fastest)
    this.say({ type: 'inject', on: injector.pressing || injector.drawing, draw: injector.drawing, flow })
  }

  /** Switch the stimulator on at the second press within two seconds. */
  askStimulator(): void {
    if (!this.hands || this.hands.stimulator.on) return
    if (this.confirming) this.stimulate(true)
    else setTimeout(() => (this.confirming = false), 2000)
    this.confirming = !this.confirming
  }

  stimulate(on: boolean): void {
    this.confirming = false
    this.say({ type: 'stimulate', on, current: null })
  }

  turnCurrent(steps: number): void {
    const stimulator = this.hands?.stimulator
    if (!stimulator) return
    const current = Math.round((stimulator.current + steps * CURRENT_STEP) * 1e6) / 1e6
    this.say({ type: 'stimulate', on: stimulator.on, current: Math.min(Math.max(current, CURRENT_STEP), 5e-3) })
  }

  /** Take note of the cue that is shown; it stands until evidence ends it. */
  note(): void {
    const row = this.cue.row
    if (row) this.say({ type: 'acknowledge', rule: row.rule, about: row.about })
  }

  choose(procedure: string): void {
    this.guidance = null
    this.say({ type: 'procedure', id: procedure })
  }

  /** Lay the answer key of a simulated patient over the picture, or take it away. */
  disclose(): void {
    if (!this.hello?.answers) this.notice = 'only a simulated patient that is held by hand has an answer key'
    else this.say({ type: 'answer', on: this.key === null || this.key.state === 'failed' })
  }

  async supplyDepth(centimeters: number): Promise<void> {
    await this.post('/api/depth', JSON.stringify({ depth_cm: centimeters }), 'application/json')
  }

  async showSimulated(): Promise<void> {
    await this.post('/api/simulated', null, null)
  }

  /** Show the screen of a real machine; false where the server would not. */
  async grabFrom(grab: Grab): Promise<boolean> {
    const stream = await this.post('/api/grabber', JSON.stringify(grab.settings), 'application/json')
    if (stream === null) return false
    this.grab?.stop()
    this.grab = grab
    void grab.run(stream).then(() => {
      if (grab.problem) this.notice = grab.problem
      if (this.grab === grab) this.grab = null
    })
    return true
  }

  /** Compile and show another simulated patient; what is shown goes on until then. */
  async showPatient(patient: Patient): Promise<void> {
    this.preparing = true
    await this.post('/api/simulated', JSON.stringify(patient), 'application/json')
    this.preparing = false
  }

  /** Begin to record what is shown, or end it. */
  async record(on: boolean): Promise<void> {
    await this.post('/api/recording', JSON.stringify({ on }), 'application/json')
  }

  async showRecording(name: string): Promise<void> {
    await this.post('/api/recordings/show', JSON.stringify({ name }), 'application/json')
  }

  /** List the recordings, after one was renamed or deleted; what was known where that failed. */
  async recordings(deed: 'rename' | 'delete' | null, of: object | null, known: RecordingName[]): Promise<RecordingName[]> {
    this.notice = null
    try {
      const answer = await fetch(`/api/recordings${deed ? `/${deed}` : ''}`, {
        method: deed ? 'POST' : 'GET',
        body: of ? JSON.stringify(of) : null,
        headers: of ? { 'content-type': 'application/json' } : {},
      })
      if (answer.ok) return (await answer.json()) as RecordingName[]
      this.notice = reasonIn(await answer.text(), 'that could not be done')
    } catch {
      this.notice = 'the server did not answer'
    }
    return known
  }

  /** A recording as a clip; null where it could not be written. */
  async clip(name: string): Promise<Blob | null> {
    this.notice = null
    try {
      const answer = await fetch(`/api/recordings/clip?name=${encodeURIComponent(name)}`)
      if (answer.ok) return await answer.blob()
      this.notice = reasonIn(await answer.text(), 'the clip could not be written')
    } catch {
      this.notice = 'the server did not answer'
    }
    return null
  }

  /** Hand a picture to the browser to keep, named by what it is and when. */
  keep(picture: Blob, what: string): void {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(picture)
    link.download = `${what} ${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.png`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 1000)
  }

  /** Save what is shown as a picture, with its labels and what it is of. */
  async still(): Promise<void> {
    this.notice = null
    try {
      const answer = await fetch('/api/still')
      if (!answer.ok) {
        this.notice = reasonIn(await answer.text(), 'the still could not be made')
        return
      }
      this.keep(await answer.blob(), 'still')
    } catch {
      this.notice = 'the server did not answer'
    }
  }

  async regions(): Promise<RegionName[]> {
    try {
      const answer = await fetch('/api/regions')
      return answer.ok ? ((await answer.json()) as RegionName[]) : []
    } catch {
      return []
    }
  }

  open(file: File): Promise<void> {
    this.notice = null
    this.upload = { name: file.name, share: 0 }
    return new Promise((done) => {
      const request = new XMLHttpRequest()
      request.open('POST', `/api/files?name=${encodeURIComponent(file.name.slice(-200))}`)
      request.setRequestHeader('content-type', 'application/octet-stream')
      request.upload.onprogress = (event) => {
        this.upload = { name: file.name, share: event.total ? event.loaded / event.total : 0 }
      }
      request.onloadend = () => {
        this.upload = null
        if (request.status !== 201) this.notice = reasonIn(request.responseText, `${file.name} could not be sent`)
        done()
      }
      request.send(file)
    })
  }

  /** Ask for something; gives the number of the stream that is shown then, null where it was refused. */
  private async post(path: string, body: string | null, type: string | null): Promise<number | null> {
    this.notice = null
    try {
      const answer = await fetch(path, { method: 'POST', body, headers: type ? { 'content-type': type } : {} })
      if (answer.ok) return ((await answer.json()) as Hello).stream
      this.notice = reasonIn(await answer.text(), 'that could not be done')
    } catch {
      this.notice = 'the server did not answer'
    }
    return null
  }

  // --- the line to the server ---

  private connect(): void {
    this.link = 'connecting'
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const socket = new WebSocket(`${scheme}://${location.host}/stream`)
    socket.binaryType = 'arraybuffer'
    this.socket = socket
    socket.onopen = () => {
      this.link = 'open'
      this.attempts = 0
      this.lostHere = this.lostThere = this.notDrawn = 0
      this.hello = null
      this.thread = null // told again when it changes: a new source leaves it as it is until then
      this.begin()
    }
    socket.onmessage = (event) => {
      if (event.data instanceof ArrayBuffer) this.take(event.data)
      else this.hear(JSON.parse(event.data as string) as FromServer, seconds())
    }
    socket.onclose = () => {
      if (this.socket !== socket) return
      this.link = 'gone'
      this.press(false)
      const wait = WAITS[Math.min(this.attempts++, WAITS.length - 1)]!
      this.retryAt = seconds() + wait
      this.retryIn = wait
    }
  }

  /** What belongs to a picture waits for the next, so that both are laid out and painted once; a cue waits for nothing. */
  private hear(message: FromServer, at: number): void {
    if (WITH_PICTURE.has(message.type)) {
      this.withPicture.push([message, at])
      this.letGo ??= setTimeout(() => this.catchUp(), 1000 * NO_PICTURE)
      return
    }
    if (message.type !== 'cues') this.catchUp()
    this.obey(message, at)
  }

  private catchUp(): void {
    if (this.letGo !== null) clearTimeout(this.letGo)
    this.letGo = null
    for (const [message, at] of this.withPicture.splice(0)) this.obey(message, at)
  }

  private obey(message: FromServer, at: number): void {
    switch (message.type) {
      case 'hello':
        if (message.stream !== this.hello?.stream) this.begin()
        if (this.grab && this.grab.stream !== message.stream) this.grab.stop()
        this.hello = message
        if (!message.hands) this.hands = null
        if (!message.frozen) this.calipers.clear()
        break
      case 'guidance':
        this.guidance = message
        this.carried = null
        break
      case 'carried':
        this.carried = message
        break
      case 'flow':
        this.flow = message
        break
      case 'no_flow':
        this.flow = null
        break
      case 'answer_key':
        this.key = message.state === 'off' ? null : message
        break
      case 'confirmed':
        if (this.guidance) this.guidance = { ...this.guidance, frame: message.frame, made: message.made }
        break
      case 'replayed':
        this.replayed = message.track
        break
      case 'thread':
        this.follow(message)
        break
      case 'cues':
        this.cues = message.cues
        break
      case 'hands':
        this.hands = message
        this.poses = [...this.poses.filter(([time], index) => at - time < POSES || index === this.poses.length - 1), [at, message.probe]]
        this.atEdge = message.at_edge
        break
      case 'status':
        this.recorded = message.recorded
        this.recordingTrouble = message.recording_trouble
        this.offered = message.offered_hz
        this.compression = message.compression
        this.watching = message.watching
        this.problem = message.problem
        this.atEdge = message.at_edge
        break
      case 'problem':
        this.notice = message.message
    }
  }

  /** Another source: its frames are numbered anew, and nothing known of the one before is true of it. */
  private begin(): void {
    this.calipers.clear()
    this.wanted = false
    this.last = 0
    this.waiting = null
    this.withPicture = []
    this.frame = null
    this.shown = null
    this.guidance = null
    this.carried = null
    this.flow = null
    this.key = null
    this.hands = null
    this.replayed = null
    this.poses = []
    this.cues = []
    this.problem = null
    this.compression = 1
    this.latencies = []
    this.reactions = []
  }

  private take(buffer: ArrayBuffer): void {
    const frame = unpack(buffer)
    if (this.last && frame.number > this.last) this.lostHere += frame.number - this.last - 1
    const time = seconds()
    if (this.last && this.arrived) this.gap += 0.1 * (Math.min(time - this.arrived, 2) - this.gap)
    this.arrived = time
    this.last = frame.number
    this.lostThere = frame.lost
    if (this.waiting) {
      this.notDrawn += 1
      this.acknowledge(this.waiting)
    }
    this.waiting = frame
    if (!this.scheduled) {
      this.scheduled = true
      requestAnimationFrame(() => this.show())
    }
  }

  private show(): void {
    this.scheduled = false
    const frame = this.waiting
    this.waiting = null
    if (!frame) return
    this.catchUp()
    this.shown = frame
    this.onframe(frame)
    this.acknowledge(frame)
    const { pixels: _, ...rest } = frame
    this.frame = rest
    this.now = seconds()
    this.latencies.push(this.now - frame.made)
    if (this.latencies.length > 200) this.latencies.shift()
    if (frame.asked !== null) requestAnimationFrame(() => this.react(seconds() - frame.asked!)) // the frame after has it on the screen
    this.drawnAt.push(this.now)
  }

  private react(after: number): void {
    this.reactions.push(after)
    if (this.reactions.length > 200) this.reactions.shift()
  }

  private acknowledge(frame: Frame): void {
    this.say({ type: 'ack', frame: frame.number })
  }

  /** Sound what is loudest and not noted, and the stimulator. */
  private listen(): void {
    const { level, row, action } = this.cue
    const loud = (level === 'caution' || level === 'stop') && !row?.acknowledged_by ? level : null
    this.sound.tick(loud, `${level} ${row ? `${row.rule} ${row.about}` : action.replace(/[0-9.]+/g, '')}`, this.now)
    const stimulator = this.hands?.stimulator
    if (stimulator && this.view === 'live')
      this.sound.stimuli(stimulator.on, stimulator.rate, (stimulator.grade ?? 0) > 0 && (stimulator.age ?? 9) < 1.5, this.now)
    this.heard = this.sound.state(this.now)
    this.pause = Math.ceil(this.sound.rest(this.now))
    this.bursts = this.sound.bursts
  }

  pauseSound(): void {
    this.sound.wake()
    this.sound.pause(seconds())
  }

  private look(): void {
    this.now = seconds()
    if (this.tip?.state === 'off plane') this.strayedAt = this.now
    if (this.wanted && this.view === 'frozen') {
      this.wanted = false
      this.calipers.choose('distance')
    }
    this.listen()
    if (this.link === 'gone') {
      this.retryIn = Math.max(0, this.retryAt - this.now)
      if (this.retryIn === 0) this.connect()
    }
    this.drawnAt = this.drawnAt.filter((time) => this.now - time < 2)
    this.drawn = this.drawnAt.length / 2
    this.latency = this.hello?.frozen ? null : spread(this.latencies)
    this.reaction = this.hello?.frozen ? null : spread(this.reactions)
  }
}

/** Median and 95th percentile of durations [s], in milliseconds. */
function spread(values: number[]): { middle: number; high: number } | null {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => 1000 * sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
  return sorted.length ? { middle: at(0.5), high: at(0.95) } : null
}

/** A row of the table from what the needle's clearance is. */
function nearRow(near: NearRow, planned: HazardRow[], seen: boolean): HazardRow {
  const same = planned.find((row) => row.structure === near.structure)
  const known = seen && near.interval_mm !== null
  return {
    structure: near.structure,
    tissue: same?.tissue ?? '',
    color: same?.color ?? '#fbd20a',
    dash: same?.dash ?? [],
    known,
    reason: seen ? near.reason : 'the picture is gone',
    margin_mm: near.margin_mm,
    clearance: known ? 'known' : 'unknown',
    interval_mm: known ? near.interval_mm : null,
    keeps_margin: known ? near.keeps_margin : null,
  }
}

/** A length under the skin [m] in millimeters: what is inside is never shown as 0. */
export function deep(inserted: number): string {
  return (1000 * inserted).toFixed(inserted > 0 && inserted < 0.00095 ? 1 : 0)
}

const STEPS: Record<string, number> = { gain: 2, dynamic_range: 5, depth: 0.005 }

export function stepOf(name: string): number {
  return STEPS[name] ?? 1
}

function reasonIn(text: string, otherwise: string): string {
  try {
    const error = (JSON.parse(text) as { error?: unknown; detail?: unknown }).error
    return typeof error === 'string' ? error : otherwise
  } catch {
    return otherwise
  }
}

/** A name of a file as words. */
export function plain(name: string): string {
  const words = name.replaceAll('_', ' ')
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`
}

/** Begin with a capital, end with a full stop. */
export function sentence(text: string): string {
  if (!text) return ''
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}
