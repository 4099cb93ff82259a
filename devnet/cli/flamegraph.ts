/** Stacks of gas as a picture: a row a level, outermost on top, widths in proportion to gas. An SVG without scripts. */
import type { Sample } from './call-tree.ts'
import { grouped } from './receipts.ts'

const WIDTH = 1200
const ROW = 20
const MARGIN = 10
const HEADER = 34
/** Narrower boxes are left out; they could not be seen. */
const BOX_WIDTH_MIN = 0.3
const CHARACTER_WIDTH = 6.7

interface Node {
  readonly name: string
  milligas: bigint
  readonly children: Map<string, Node>
}

/** Equal names under one parent are one box. */
export function renderFlamegraph(title: string, samples: readonly Sample[]): string {
  const root: Node = { name: title, milligas: 0n, children: new Map() }
  for (const { stack, milligas } of samples) {
    let node = root
    node.milligas += milligas
    for (const name of stack) {
      let child = node.children.get(name)
      if (child === undefined) node.children.set(name, (child = { name, milligas: 0n, children: new Map() }))
      child.milligas += milligas
      node = child
    }
  }
  const height = HEADER + depthOf(root) * ROW + MARGIN
  const total = Number(root.milligas)
  const boxes: string[] = []
  const draw = (node: Node, x: number, level: number): void => {
    const width = total === 0 ? WIDTH - 2 * MARGIN : (Number(node.milligas) / total) * (WIDTH - 2 * MARGIN)
    if (width < BOX_WIDTH_MIN) return
    boxes.push(box(node, x, HEADER + level * ROW, width, total))
    let left = x
    for (const child of node.children.values()) {
      draw(child, left, level + 1)
      left += (Number(child.milligas) / total) * (WIDTH - 2 * MARGIN)
    }
  }
  draw(root, MARGIN, 0)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fdfdfb"/>`,
    `<text x="${MARGIN}" y="22" font-size="14">${escapeXml(title)}: ${gasText(root.milligas)} gas</text>`,
    ...boxes,
    '</svg>',
    '',
  ].join('\n')
}

function depthOf(node: Node): number {
  return 1 + Math.max(0, ...[...node.children.values()].map(depthOf))
}

function box({ name, milligas }: Node, x: number, y: number, width: number, total: number): string {
  const share = total === 0 ? 100 : (Number(milligas) / total) * 100
  const room = Math.floor((width - 6) / CHARACTER_WIDTH)
  const label = name.length <= room ? name : room < 3 ? '' : `${name.slice(0, room - 1)}…`
  const text = label === '' ? '' : `<text x="${fixed(x + 3)}" y="${y + 14}">${escapeXml(label)}</text>`
  return (
    `<g><title>${escapeXml(name)}: ${gasText(milligas)} gas, ${share.toFixed(1)} %</title>` +
    `<rect x="${fixed(x)}" y="${y}" width="${fixed(width)}" height="${ROW - 1}" rx="2" fill="${colourOf(name)}"/>${text}</g>`
  )
}

/** One hue a name, so that two pictures can be compared. */
function colourOf(name: string): string {
  let hash = 0
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)!) % 360
  return `hsl(${name.startsWith('On') || name.startsWith('wasm_') ? 190 + (hash % 50) : 15 + (hash % 45)},70%,72%)`
}

function gasText(milligas: bigint): string {
  return grouped((milligas + 999n) / 1000n)
}

function fixed(value: number): string {
  return value.toFixed(2).replace(/\.?0+$/, '')
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!)
}
