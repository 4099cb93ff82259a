/** Where the tests find CometBFT; undefined where there is none, and they skip. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CometError, findComet } from '../../../../devnet/node/abci/comet-node.ts'
import { findPackageRoot } from '../../../../devnet/node/package-root.ts'

/** What `.ci/run` installs. */
const INSTALLED = join(findPackageRoot(), 'node_modules', '.cache', 'cometbft', 'cometbft')

function find(): string | undefined {
  const env =
    process.env['COMETBFT_BIN'] === undefined && existsSync(INSTALLED) ? { COMETBFT_BIN: INSTALLED } : process.env
  try {
    return findComet(env)
  } catch (error) {
    if (error instanceof CometError) return undefined
    throw error
  }
}

export const cometBinary = find()
