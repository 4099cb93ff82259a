/** What clients asked genuine nodes, asked of our RPC: every answer is compared field by field. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { CometFile } from '../../../../devnet/conformance/comet-report.ts'
import { runRecorded } from '../../../../devnet/rpc/comet/recorded.ts'

const folder = resolve(process.env['TROUPE_COMET_VECTORS'] ?? '../shared/comet-oracle/vectors')
const hasVectors = existsSync(join(folder, 'live.json.gz'))

function readFile(name: string): CometFile {
  return JSON.parse(gunzipSync(readFileSync(join(folder, `${name}.json.gz`))).toString('utf8'))
}

describe.skipIf(!hasVectors)(
  `recorded exchanges${hasVectors ? '' : ' (no such folder: set TROUPE_COMET_VECTORS)'}`,
  () => {
    test.each(['live', 'blocks'])('of %s are answered as the genuine node did', async (name) => {
      const file = readFile(name)
      const results = await runRecorded(file)
      const failed = results.filter(({ differences }) => differences.length > 0)
      expect(failed.map((result) => `${result.name}: ${JSON.stringify(result.differences[0])}`)).toEqual([])
      const chain = name === 'live' ? file : file.plain
      expect(results.length).toBeGreaterThan(chain.exchanges.length)
    })

    test('are found to differ where one field does', async () => {
      const file = readFile('live')
      const of = (name: string) => file.exchanges.find((exchange: CometFile) => exchange.name === name)
      of('status').json.result.sync_info.latest_block_height = '61'
      of('block').json.result.block.header.app_hash = ''
      of('commit').cacheControl = 'private'
      of('tx_search').json.result.txs[0].proof.proof.total = 1
      of('net_info').json.result.peers[0].is_outbound = 'yes'
      file.subscriptions[0].messages[3].result.data.value.block_id.parts.total = 2
      const told = (kind: string) =>
        file.subscriptions.find(({ query }: CometFile) => query === `tm.event='${kind}'`).messages[1].result.data
      told('NewRound').value.proposer.index = 9
      told('Polka').type = 'tendermint/event/Polka'
      told('TimeoutPropose').value.step = 'RoundStepPrevote'
      delete told('Vote').value.Vote.extension
      const failed = (await runRecorded(file)).filter(({ differences }) => differences.length > 0)
      const fields = failed.map(({ differences }) => differences.map(({ field }) => field))
      expect(new Set(fields.flat())).toEqual(
        new Set([
          '.result.peers[0].is_outbound',
          '.result.sync_info.latest_block_height',
          '.result.block.header.app_hash',
          'cacheControl',
          '.result.txs[0].proof.proof.total',
          '[2].result.data.value.block_id.parts.total',
          '[0].result.data.value.proposer.index',
          '[0].result.data.type',
          '[0].result.data.value.step',
          '[0].result.data.value.Vote.extension',
        ]),
      )
      expect(failed).toHaveLength(10)
    })
  },
)
