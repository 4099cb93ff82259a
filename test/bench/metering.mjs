/**
 * What metering costs: the same programs with and without instrumentation, median of seven runs each, a line of JSON a program.
 * Run `node test/bench/metering.mjs` from the package root. Aim 1.2, at most 1.7.
 */
import { createHash } from 'node:crypto'
import { main as compileAssembly } from 'assemblyscript/asc'
import { build } from 'esbuild'
import wabt from 'wabt'

const RUNS = 7
const LIMIT = 1n << 60n

/** `(func $name …)` programs whose `invoke` takes about a tenth of a second. */
const TEXTS = {
  fib: `(func $fib (param i32) (result i32)
      (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
        (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func (export "invoke") (param i32) (result i32) (call $fib (i32.const 36)))`,
  sieve: `(func (export "invoke") (param i32) (result i32) (local $i i32) (local $j i32) (local $found i32) (local $round i32)
      (loop $again
        (memory.fill (i32.const 0) (i32.const 0) (i32.const 2000000))
        (local.set $i (i32.const 2))
        (loop $numbers
          (if (i32.eqz (i32.load8_u (local.get $i))) (then
            (local.set $found (i32.add (local.get $found) (i32.const 1)))
            (local.set $j (i32.shl (local.get $i) (i32.const 1)))
            (block $done (loop $multiples
              (br_if $done (i32.ge_u (local.get $j) (i32.const 2000000)))
              (i32.store8 (local.get $j) (i32.const 1))
              (local.set $j (i32.add (local.get $j) (local.get $i)))
              (br $multiples)))))
          (br_if $numbers (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 2000000))))
        (br_if $again (i32.lt_u (local.tee $round (i32.add (local.get $round) (i32.const 1))) (i32.const 20))))
      (local.get $found))`,
  collatz: `(func (export "invoke") (param i32) (result i32) (local $i i32) (local $n i64) (local $steps i32)
      (local.set $i (i32.const 1))
      (loop $starts
        (local.set $n (i64.extend_i32_u (local.get $i)))
        (block $one (loop $walk
          (br_if $one (i64.eq (local.get $n) (i64.const 1)))
          (local.set $steps (i32.add (local.get $steps) (i32.const 1)))
          (if (i64.eqz (i64.and (local.get $n) (i64.const 1)))
            (then (local.set $n (i64.shr_u (local.get $n) (i64.const 1))))
            (else (local.set $n (i64.add (i64.mul (local.get $n) (i64.const 3)) (i64.const 1)))))
          (br $walk)))
        (br_if $starts (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 700000))))
      (local.get $steps))`,
  floats: `(func (export "invoke") (param i32) (result i32) (local $i i32) (local $x f64)
      (local.set $x (f64.const 1.5))
      (loop $rounds
        (local.set $x (f64.add (f64.mul (local.get $x) (f64.const 0.999999)) (f64.div (f64.const 1) (local.get $x))))
        (br_if $rounds (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20000000))))
      (i32.trunc_f64_s (local.get $x)))`,
}

/** SHA-256 of a megabyte, sixteen times: an actor of ours, in AssemblyScript. The last digest stays in memory. */
const SHA256 = `
const data = new Uint8Array(1 << 20)
const words = new StaticArray<u32>(64)
const state = new StaticArray<u32>(8)
const K: StaticArray<u32> = [${fractionsOfRoots(64, 3n)}]
const START: StaticArray<u32> = [${fractionsOfRoots(8, 2n)}]
for (let i = 0; i < data.length; i++) data[i] = <u8>(i * 7)
function mixWords(): void {
  for (let i = 16; i < 64; i++) {
    const x = words[i - 15], y = words[i - 2]
    const small = rotr<u32>(x, 7) ^ rotr<u32>(x, 18) ^ (x >> 3), large = rotr<u32>(y, 17) ^ rotr<u32>(y, 19) ^ (y >> 10)
    words[i] = words[i - 16] + small + words[i - 7] + large
  }
  let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7]
  for (let i = 0; i < 64; i++) {
    const first = h + (rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + words[i]
    const second = (rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
    h = g; g = f; f = e; e = d + first; d = c; c = b; b = a; a = first + second
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h
}
function hash(): void {
  for (let i = 0; i < 8; i++) state[i] = START[i]
  for (let at = 0; at < data.length; at += 64) {
    for (let i = 0; i < 16; i++) {
      const from = at + 4 * i
      words[i] = (<u32>data[from] << 24) | (<u32>data[from + 1] << 16) | (<u32>data[from + 2] << 8) | <u32>data[from + 3]
    }
    mixWords()
  }
  for (let i = 0; i < 16; i++) words[i] = 0
  words[0] = 0x80000000
  words[15] = <u32>data.length << 3
  mixWords()
}
export function invoke(_: i32): i32 {
  for (let round = 0; round < 16; round++) hash()
  return changetype<i32>(state)
}`

/** The first 32 bits after the point of the roots of the first primes. FIPS 180-4 */
function fractionsOfRoots(count, degree) {
  const primes = []
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  return primes.map((prime) => {
    let root = 0n
    for (let bit = 1n << 37n; bit > 0n; bit >>= 1n) if ((root + bit) ** degree <= BigInt(prime) << (32n * degree)) root += bit
    return Number(root & 0xffff_ffffn)
  })
}

/** That the actor hashes: eight words at the place that it answers. */
function checkDigest({ memory, invoke }) {
  const at = invoke(0)
  const digest = Array.from(new Uint32Array(memory.buffer, at, 8), (word) => word.toString(16).padStart(8, '0')).join('')
  const expected = createHash('sha256').update(Uint8Array.from({ length: 1 << 20 }, (_, i) => i * 7)).digest('hex')
  if (digest !== expected) throw new Error(`the digest is ${digest}, not ${expected}`)
}

async function assemble() {
  const files = { 'sha256.ts': SHA256 }
  const options = ['-O3', '--runtime', 'stub', '--initialMemory', '40', '--use', 'abort=']
  const { error } = await compileAssembly(['sha256.ts', '-o', 'sha256.wasm', ...options], {
    readFile: (name) => files[name] ?? null,
    writeFile: (name, content) => {
      files[name] = content
    },
    listFiles: () => [],
  })
  if (error) throw error
  return files['sha256.wasm']
}

/** The instrumenter, bundled from source. */
async function loadInstrumenter() {
  const { outputFiles } = await build({
    entryPoints: [new URL('../../compiler/gas/instrument.ts', import.meta.url).pathname],
    bundle: true,
    format: 'esm',
    write: false,
  })
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
}

function medianMs(invoke) {
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now()
    invoke(0)
    return performance.now() - start
  })
  return times.sort((left, right) => left - right)[RUNS >> 1]
}

const { instrumentModule } = await loadInstrumenter()
const { parseWat } = await wabt()
const programs = { sha256: await assemble() }
for (const [name, functions] of Object.entries(TEXTS)) {
  programs[name] = parseWat(name, `(module (memory (export "memory") 40) ${functions})`).toBinary({}).buffer
}
for (const [name, raw] of Object.entries(programs)) {
  const plain = new WebAssembly.Instance(new WebAssembly.Module(raw)).exports
  const { bytes } = instrumentModule(new Uint8Array(raw))
  const troupe = { memory_grow: () => -1 }
  const metered = new WebAssembly.Instance(new WebAssembly.Module(bytes), { troupe }).exports
  metered.gas.value = LIMIT
  metered.start?.()
  if (name === 'sha256') for (const exports of [plain, metered]) checkDigest(exports)
  const [before, after] = [medianMs(plain.invoke), medianMs(metered.invoke)]
  const [plainMs, meteredMs] = [before, after].map((ms) => Number(ms.toPrecision(4)))
  const value = Number((after / before).toPrecision(3))
  console.log(JSON.stringify({ name: `metered ÷ plain, ${name}`, value, unit: 'ratio', n: RUNS, calibration: { plainMs, meteredMs } }))
}
