import { expect, test } from 'vitest'
import type { Cid } from '../../../devnet/ipld/cid.ts'
import { computeAppHash, NO_COMMITMENTS } from '../../../devnet/node/app-hash.ts'
import { fromHex, toBinary, toHex } from '../../../devnet/primitives/bytes.ts'

/** Golden values of spec ipc §6.3. */
const ROOT = 'c43833517ebdaddf412148dcc6fbf8674464ba826ff4cfa80707966444c5f235'
const GOLDEN = [
  [
    '0171a0e40220a776144e88bd56b306ffda96b79dabfdbec8f019603e7bb649667279f5600882',
    '5904603f8b5b1844a80498361e2a2c92938529bd09be6ba7eefcd9b679d5a0e3',
  ],
  [
    '0171a0e40220d324f2815da59e84482e6103a5eb1b6a7674918c55ebad378685ec908fac2e39',
    '8d26ca04a9eb3b9140457445abd7ab774c98b6b6a1a4ee187fb8dc8ee99f9f55',
  ],
  [
    '0171a0e40220f304de25b08331144c6ac702b10bc47005f05ed6aa139315ecc57a3d273af7d2',
    '46152b7c703d6f89b250fcde823a5ea1f0925bcbdcabd69e5c954ac2d9ab742e',
  ],
] as const

test.each(GOLDEN)('of state root %s is what IPC computes', (stateRoot, appHash) => {
  const commitments = { ...NO_COMMITMENTS, activeValidators: 1n, blocksCommitted: 10n, activityRoot: fromHex(ROOT) }
  expect(toHex(computeAppHash(toBinary(fromHex(stateRoot)) as Cid, commitments))).toBe(appHash)
})
