// Written by web/messages.py from the server's schema. Do not edit.

export const VERSION = 1
export const MAGIC = 'INSO'
export const HEADER_BYTES = 72
export const SIMULATED = 1
export const METERS = 2
export const HELD_BACK: [string, number][] = [['map density', 4], ['compounding', 8], ['labelling rate', 16], ['color rate', 32]]

/** The viewer has drawn a frame; those sent before it have come too. */
export interface Ack {
  type: 'ack'
  frame: number
}

/** A viewer has taken note of a cue. */
export interface Acknowledge {
  type: 'acknowledge'
  rule: string
  about: string
}

/** Lay the answer key of a simulated patient over the picture, or take it away. */
export interface AnswerKey {
  type: 'answer'
  on: boolean
}

/** What the picture truly shows, for who practices on a simulated patient; never used by anything that advises. */
export interface AnswerKeyNow {
  type: 'answer_key'
  state: string
  share: number
  trouble: string | null
  time: number
  rows: number
  columns: number
  origin: number[]
  step: number[]
  labels: string
  structures: TrueStructure[]
}

/** The pilot goes back to a stage of the thread. */
export interface Back {
  type: 'back'
  stage: string
}

/** Where the outlines of guidance lie in a later frame, by both pictures: drawn, and used for nothing else. */
export interface Carried {
  type: 'carried'
  of: number
  frame: number
  age: number
  lines: CarriedLine[]
}

/** How far one line of the drawing has moved since, down and to the right in the drawing's unit. */
export interface CarriedLine {
  line: number
  axial: number | null
  lateral: number | null
  sure: number | null
}

/** Where flow is looked for [m], with how many shots a second [Hz] and at which angle [rad]; from either end. */
export interface Color {
  type: 'color'
  on: boolean
  left: number
  right: number
  top: number
  bottom: number
  rate: number
  steering: number
}

/** The picture has not changed since it was labelled: what was made of it holds for this later frame too. */
export interface Confirmed {
  type: 'confirmed'
  frame: number
  made: number
}

/** One control of the machine. */
export interface Control {
  name: string
  value: number
  low: number
  high: number
  unit: string
}

/** One cue that stands. */
export interface CueRow {
  level: string
  about: string
  rule: string
  message: string
  reason: string
  acknowledged_by: string | null
  do: string | null
}

/** What stands, loudest first; often as it changes. */
export interface Cues {
  type: 'cues'
  cues: CueRow[]
}

/** What was seen of flow last, a signed byte a pixel. */
export interface Flow {
  type: 'flow'
  rows: number
  columns: number
  origin: number[]
  step: number[]
  nyquist: number
  velocities: string
  made: number
  toward: string[]
  away: string[]
}

/** The viewer holds the picture, or lets it go on. */
export interface Freeze {
  type: 'freeze'
  on: boolean
}

/** What was made of one frame: structures and paths to draw, hazards, what to do next. */
export interface Guidance {
  type: 'guidance'
  frame: number
  made: number
  procedure: string
  target: string | null
  hazards: HazardRow[]
  paths: PathRow[]
  reason: string
  next_step: string
  drawing: Record<string, unknown> | null
}

/** Both hands and all readings, as often as they change. */
export interface Hands {
  type: 'hands'
  you: number
  pilot: number | null
  asking: number | null
  at_edge: boolean
  probe: ProbeNow
  needle: NeedleNow
  track: TrackNow | null
  near: NearRow[]
  stimulator: StimulatorNow
  injector: InjectorNow
}

/** One hazard: known where it lies or not, and how near the best path comes. */
export interface HazardRow {
  structure: string
  tissue: string
  color: string
  dash: number[]
  known: boolean
  reason: string
  margin_mm: number
  clearance: string
  interval_mm: number[] | null
  keeps_margin: boolean | null
}

/** First word of the server, and again when source, controls or procedure change. */
export interface Hello {
  type: 'hello'
  version: number
  software: string
  stream: number
  source: string
  simulated: boolean
  patient: Patient | null
  spacing_known: boolean
  spacing_can_be_supplied: boolean
  controls: Control[]
  center_frequency: number | null
  presets: PresetName[]
  procedure: string
  procedures: ProcedureName[]
  names: string[]
  frozen: boolean
  held: number | null
  recording: boolean
  hands: boolean
  answers: boolean
  color: Color | null
}

/** What the syringe says. */
export interface InjectorNow {
  pressing: boolean
  drawing: boolean
  flow: number
  slowest: number
  fastest: number
  step: number
  drawn: string | null
  aspirated: number | null
  agent: string
  rate: number | null
  volume: number | null
  pressure: number | null
  age: number | null
}

/** The pilot moves the needle by a step [m, rad]. */
export interface MoveNeedle {
  type: 'needle'
  entry: number
  angle: number
  yaw: number
  advance: number
  bevel: number
  at: number | null
}

/** The pilot moves the probe by a step [m, rad, N]. */
export interface MoveProbe {
  type: 'probe'
  slide: number
  along: number
  rotate: number
  tilt: number
  rock: number
  press: number
  at: number | null
}

/** A viewer says what an outlined structure is, or that it is not. */
export interface Name {
  type: 'name'
  axial: number
  lateral: number
  name: string | null
}

/** How near the needle is to one structure, or that it is unknown. */
export interface NearRow {
  structure: string
  interval_mm: number[] | null
  margin_mm: number
  keeps_margin: boolean | null
  reason: string
}

/** How the needle is held [m, rad]. */
export interface NeedleNow {
  beside: number
  angle: number
  yaw: number
  inserted: number
  length: number
  bevel: number
}

/** The pilot goes on in the thread; a reason where the stage is not done. */
export interface Next {
  type: 'next'
  reason: string | null
}

/** What was seen of flow is true no more: it is looked for elsewhere, or not at all. */
export interface NoFlow {
  type: 'no_flow'
}

/** One planned path, in words and numbers. */
export interface PathRow {
  rank: number
  length: string
  angle_deg: number
  nearest: string
  keeps_margins: boolean | null
  unknown: string[]
  reason: string
}

/** One simulated patient, and who examines it: no operator is a hand at the page. */
export interface Patient {
  region: string
  seed: number
  variant: string
  pathologies: string[]
  window: string | null
  operator: string | null
}

/** A viewer asks for the probe, or hands it over. */
export interface Pilot {
  type: 'pilot'
  give: boolean
}

/** Set all controls of the picture as a preset has them, keep those of now as one, or forget one. */
export interface Preset {
  type: 'preset'
  deed: string
  name: string
}

/** One preset of how a picture is formed and shown. */
export interface PresetName {
  name: string
  about: string
  own: boolean
}

/** The pilot presses or draws the syringe, and says so again at least twice a second, or lets go. */
export interface Press {
  type: 'inject'
  on: boolean
  draw: boolean
  flow: number | null
}

/** How the probe is held: where it meets the skin [m], its angles [rad], how hard it presses [N]. */
export interface ProbeNow {
  x: number
  y: number
  rotation: number
  tilt: number
  rock: number
  force: number
}

/** Something asked for cannot be done, in one line. */
export interface Problem {
  type: 'problem'
  message: string
}

/** One procedure of the catalog. */
export interface ProcedureName {
  id: string
  name: string
  review: string
  view: string
}

/** One recording that was kept. */
export interface RecordingName {
  name: string
  source: string
  began: number | null
  size: number
  simulated: boolean
}

/** How large a structure of healthy adults is, in words, with where that is from. */
export interface Reference {
  structure: string
  measure: string
  words: string
  who: string
  source: string
  evidence: string
  review: string
}

/** One region of the simulated patient, with what can be chosen in it. */
export interface RegionName {
  region: string
  windows: string[]
  variants: string[]
  pathologies: string[]
}

/** Where a recording has the needle at this moment; None where nothing tracked one. */
export interface Replayed {
  type: 'replayed'
  track: TrackNow | null
}

/** One number of a report, in words. */
export interface ReportFact {
  name: string
  value: string
}

/** One thing to do better. */
export interface ReportFinding {
  severity: string
  sentence: string
  time_s: number | null
}

/** What is looked back upon. */
export interface ReportNow {
  state: string
  share: number
  trouble: string | null
  sentence: string
  findings: ReportFinding[]
  facts: ReportFact[]
}

/** The viewer turns a control. */
export interface SetControl {
  type: 'control'
  name: string
  value: number
}

/** The viewer chooses a procedure. */
export interface SetProcedure {
  type: 'procedure'
  id: string
}

/** One stage of the thread. */
export interface StageRow {
  id: string
  state: string
}

/** How the stream is. */
export interface Status {
  type: 'status'
  offered_hz: number
  lost: number
  watching: number
  problem: string | null
  at_edge: boolean
  compression: number
  recorded: number | null
  recording_trouble: string | null
}

/** The pilot switches the stimulator, or sets its current [A]. */
export interface Stimulate {
  type: 'stimulate'
  on: boolean
  current: number | null
}

/** What the stimulator is set to, and what its last stimulus brought. */
export interface StimulatorNow {
  on: boolean
  current: number
  pulse_width: number
  rate: number
  delivered: number | null
  muscle: string | null
  grade: number | null
  impedance: number | null
  age: number | null
}

/** Where the examination is in its thread, and the one thing to do next. */
export interface ThreadNow {
  type: 'thread'
  stages: StageRow[]
  part: string | null
  do: string
  why: string
  hand: string | null
  ready: boolean
  goal: number[] | null
  entry: number[] | null
  report: string
  share: number
}

/** Where the tracker sees the needle, in the image: axial, lateral, and off its plane [m]. */
export interface TrackNow {
  state: string
  age: number
  tip: number[] | null
  tip_age: number | null
  tail: number[] | null
  in_plane: boolean | null
  under_skin: boolean | null
  shown: boolean | null
  doubt: string
  ellipse: number[] | null
  diameter: number
}

/** One structure of the answer key. */
export interface TrueStructure {
  name: string
  color: string
  at: number[] | null
}

export type FromServer = ThreadNow | Hello | Guidance | Carried | Confirmed | Flow | NoFlow | AnswerKeyNow | Replayed | Status | Hands | Cues | Problem
export type FromPage = Ack | SetControl | Color | Preset | AnswerKey | SetProcedure | Freeze | MoveProbe | MoveNeedle | Press | Stimulate | Pilot | Acknowledge | Name | Next | Back
