/** Bytes that may be a module: either a documented error, or something that V8 compiles as well. */
import { InstrumentError } from '../../../compiler/gas/fault.ts'
import { instrumentModule } from '../../../compiler/gas/instrument.ts'
import { WasmDecodeError } from '../../../compiler/wasm/leb128.ts'
import { readModule } from '../../../compiler/wasm/reader.ts'
import { validateModule } from '../../../compiler/wasm/validate.ts'
import { WasmValidationError } from '../../../compiler/wasm/validate-body.ts'
import { makeProgram } from '../program.ts'
import { Choices } from '../random.ts'
import { attempt, demand, type Target } from '../target.ts'
import { encodeWasm } from '../wasm.ts'

const DOCUMENTED = [WasmDecodeError, WasmValidationError, InstrumentError] as const

export const wasmReader: Target = {
  name: 'wasm-reader',
  generate: (random) => encodeWasm(makeProgram(new Choices(random.bytes(random.below(300))))),
  run(input) {
    const valid = attempt(() => validateModule(readModule(input)), ...DOCUMENTED)
    const instrumented = attempt(() => instrumentModule(input), ...DOCUMENTED)
    if (!('value' in instrumented)) {
      const error = instrumented.error as InstanceType<(typeof DOCUMENTED)[number]>
      demand('error' in valid || error instanceof InstrumentError, 'the validator takes what the instrumenter refuses')
      return error.fault.code
    }
    demand(!('error' in valid), 'the instrumenter takes what the validator refuses')
    demand(WebAssembly.validate(input as Uint8Array<ArrayBuffer>), 'V8 refuses what we accept')
    new WebAssembly.Module(instrumented.value.bytes as Uint8Array<ArrayBuffer>)
    const traced = instrumentModule(input, { asking: 'every block' })
    demand(WebAssembly.validate(traced.bytes as Uint8Array<ArrayBuffer>), 'V8 refuses the traced module')
    validateModule(readModule(instrumented.value.bytes))
    return 'accepted'
  },
}
