/**
 * Asks over HTTP from where it runs: a host of its own that a test reaches through nothing but this process's pipes. A line of stdin is
 * a question, `{"id":…,"url":…,"body":…}`; a line of stdout its answer, `{"id":…,"text":…}` or `{"id":…,"error":…}`.
 */
import { createInterface } from 'node:readline'

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, url, body } = JSON.parse(line)
  try {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    process.stdout.write(`${JSON.stringify({ id, text: await response.text() })}\n`)
  } catch (error) {
    const reason = error.cause?.message || error.cause?.code || error.message
    process.stdout.write(`${JSON.stringify({ id, error: String(reason) })}\n`)
  }
})
