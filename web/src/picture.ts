// Grey pixels on a canvas: WebGL2 where there is a graphics card, Canvas2D where WebGL would be drawn by the processor.
import type { Frame } from './frame'

export interface Renderer {
  readonly kind: 'webgl' | 'canvas'
  draw(frame: Frame, width: number, height: number, tint?: Tint): void
}

/** How greys are tinted: the power of each level 0..1 in red, green and blue; black stays black, white white. */
export const TINTS = { Grey: [1, 1, 1], Warm: [0.8, 1, 1.35], Cool: [1.3, 1, 0.8] } as const
export type Tint = keyof typeof TINTS

const VERTEX = `#version 300 es
out vec2 place;
void main() {
  place = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = vec4(2.0 * place.x - 1.0, 1.0 - 2.0 * place.y, 0.0, 1.0);
}`

const FRAGMENT = `#version 300 es
precision mediump float;
uniform sampler2D grey;
uniform vec3 tint;
in vec2 place;
out vec4 color;
void main() { color = vec4(pow(vec3(texture(grey, place).r), tint), 1.0); }`

function drawnByProcessor(gl: WebGL2RenderingContext): boolean {
  const known = gl.getExtension('WEBGL_debug_renderer_info')
  const name = String(gl.getParameter(known ? known.UNMASKED_RENDERER_WEBGL : gl.RENDERER))
  return /swiftshader|llvmpipe|software|basic render/i.test(name)
}

function shader(gl: WebGL2RenderingContext, kind: number, text: string): WebGLShader {
  const made = gl.createShader(kind)
  if (!made) throw new Error('no shader')
  gl.shaderSource(made, text)
  gl.compileShader(made)
  if (!gl.getShaderParameter(made, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(made) ?? 'no shader')
  return made
}

class WebGl implements Renderer {
  readonly kind = 'webgl'
  private size = ''
  private readonly tint: WebGLUniformLocation | null

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly gl: WebGL2RenderingContext,
  ) {
    const program = gl.createProgram()
    gl.attachShader(program, shader(gl, gl.VERTEX_SHADER, VERTEX))
    gl.attachShader(program, shader(gl, gl.FRAGMENT_SHADER, FRAGMENT))
    gl.linkProgram(program)
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error('no program')
    gl.useProgram(program)
    this.tint = gl.getUniformLocation(program, 'tint')
    gl.bindVertexArray(gl.createVertexArray())
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture())
    for (const [name, value] of [
      [gl.TEXTURE_MIN_FILTER, gl.LINEAR],
      [gl.TEXTURE_MAG_FILTER, gl.LINEAR],
      [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE],
      [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
    ] as const)
      gl.texParameteri(gl.TEXTURE_2D, name, value)
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1)
  }

  draw(frame: Frame, width: number, height: number, tint: Tint = 'Grey'): void {
    const { gl, canvas } = this
    gl.uniform3fv(this.tint, TINTS[tint])
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height]
    gl.viewport(0, 0, width, height)
    const size = `${frame.rows} ${frame.columns}`
    if (size !== this.size) {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, frame.columns, frame.rows, 0, gl.RED, gl.UNSIGNED_BYTE, frame.pixels)
      this.size = size
    } else {
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, frame.columns, frame.rows, gl.RED, gl.UNSIGNED_BYTE, frame.pixels)
    }
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4)
  }
}

class Canvas implements Renderer {
  readonly kind = 'canvas'
  private readonly small = document.createElement('canvas')
  private readonly inner: CanvasRenderingContext2D
  private readonly outer: CanvasRenderingContext2D
  private data: ImageData | null = null

  constructor(private readonly canvas: HTMLCanvasElement) {
    const inner = this.small.getContext('2d')
    const outer = canvas.getContext('2d', { alpha: false })
    if (!inner || !outer) throw new Error('no canvas')
    this.inner = inner
    this.outer = outer
  }

  draw(frame: Frame, width: number, height: number, tint: Tint = 'Grey'): void {
    const { rows, columns } = frame
    const levels = LEVELS[tint]
    if (!this.data || this.data.width !== columns || this.data.height !== rows) {
      this.data = new ImageData(columns, rows)
      ;[this.small.width, this.small.height] = [columns, rows]
    }
    const words = new Uint32Array(this.data.data.buffer)
    for (let index = 0; index < words.length; index++) words[index] = levels[frame.pixels[index]!]!
    this.inner.putImageData(this.data, 0, 0)
    if (this.canvas.width !== width || this.canvas.height !== height) {
      ;[this.canvas.width, this.canvas.height] = [width, height]
      this.outer.imageSmoothingQuality = 'medium'
    }
    this.outer.drawImage(this.small, 0, 0, width, height)
  }
}

/** Opaque color of each level under each tint, in the byte order of this machine. */
const LEVELS = Object.fromEntries(
  Object.entries(TINTS).map(([name, powers]) => {
    const bytes = new Uint8Array(1024)
    for (let level = 0; level < 256; level++) bytes.set([...powers.map((power) => Math.round(255 * (level / 255) ** power)), 255], 4 * level)
    return [name, new Uint32Array(bytes.buffer)]
  }),
) as Record<Tint, Uint32Array>

function fresh(place: HTMLElement): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.setAttribute('aria-hidden', 'true')
  place.replaceChildren(canvas)
  return canvas
}

/** Put a canvas into `place` with the renderer that suits this machine, or the one that is asked for. */
export function rendererIn(place: HTMLElement, wanted: string | null, changed: (now: Renderer) => void): void {
  const plainly = () => changed(new Canvas(fresh(place)))
  if (wanted === 'canvas') return plainly()
  const canvas = fresh(place)
  try {
    const gl = canvas.getContext('webgl2', { alpha: false, antialias: false })
    if (!gl || (wanted !== 'webgl' && drawnByProcessor(gl))) return plainly()
    canvas.addEventListener('webglcontextlost', plainly, { once: true })
    changed(new WebGl(canvas, gl))
  } catch {
    plainly()
  }
}
