/** The manifest of docs/networks.md: it parses, and what it names is there. Nobody runs it here. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { COMMANDS } from '../../devnet/cli/commands.ts'
import { parseAbciAddress } from '../../devnet/node/abci/server.ts'
import { findPackageRoot } from '../../devnet/node/package-root.ts'

const path = join(findPackageRoot(), 'docs', 'kubernetes.yaml')
const documents = parseAllDocuments(readFileSync(path, 'utf8'), { strict: true, uniqueKeys: true })
// biome-ignore lint/suspicious/noExplicitAny: the shape is Kubernetes'
const objects: any[] = documents.map((document) => document.toJS())
const ofKind = (kind: string) => objects.filter((object) => object.kind === kind)
const [set] = ofKind('StatefulSet')
const pod = set.spec.template
const containers = [...pod.spec.initContainers, ...pod.spec.containers]

describe('the Kubernetes manifest', () => {
  test('is YAML, each object with a name of its own', () => {
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([])
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    expect(new Set(names).size).toBe(names.length)
    expect(objects.every(({ apiVersion }) => ['v1', 'apps/v1', 'policy/v1'].includes(apiVersion))).toBe(true)
  })

  test('has four validators, each with a name, an address and a key of its own', () => {
    expect(set.spec.replicas).toBe(4)
    const services = ofKind('Service')
    expect(services.find(({ metadata }) => metadata.name === set.spec.serviceName).spec.clusterIP).toBe('None')
    const sources = pod.spec.volumes.find(({ name }: { name: string }) => name === 'keys').projected.sources
    for (let ordinal = 0; ordinal < set.spec.replicas; ordinal++) {
      const own = services.find(({ metadata }) => metadata.name === `comet-${ordinal}`)
      expect(own.spec.selector).toEqual({ 'statefulset.kubernetes.io/pod-name': `${set.metadata.name}-${ordinal}` })
      expect(own.spec).toMatchObject({ publishNotReadyAddresses: true, ports: [{ port: 26656 }] })
      expect(sources[ordinal].secret.name).toBe(`troupe-key-${ordinal}`)
      const paths = sources[ordinal].secret.items.map(({ path }: { path: string }) => path)
      expect(paths).toEqual([`${ordinal}/priv_validator_key.json`, `${ordinal}/node_key.json`])
    }
    const holders = containers.filter(({ volumeMounts }) =>
      volumeMounts.some(({ name }: { name: string }) => name === 'keys'),
    )
    expect(holders.map(({ name }) => name)).toEqual(['home'])
  })

  test('mounts volumes that it has, and selects pods that there are', () => {
    const volumes = [
      ...pod.spec.volumes,
      ...set.spec.volumeClaimTemplates.map(({ metadata }: { metadata: object }) => metadata),
    ]
    const names = volumes.map(({ name }) => name)
    for (const { volumeMounts } of containers) {
      for (const { name } of volumeMounts) expect(names).toContain(name)
    }
    expect(pod.metadata.labels).toMatchObject(set.spec.selector.matchLabels)
    expect(ofKind('PodDisruptionBudget')[0].spec).toMatchObject({ maxUnavailable: 1, selector: set.spec.selector })
    const ports = containers.flatMap(({ ports: own = [] }) =>
      own.map((port: { containerPort: number }) => port.containerPort),
    )
    for (const { spec } of ofKind('Service')) for (const { port } of spec.ports) expect(ports).toContain(port)
  })

  test('calls troupe with flags that it has', async () => {
    const { command, args } = containers.find(({ name }) => name === 'application')
    const [, , name] = command as string[]
    const { flags } = await COMMANDS[name!]!.load()
    for (const flag of args as string[]) expect(Object.keys(flags)).toContain(/^--([a-z-]+)/.exec(flag)![1])
    const address = (args as string[]).find((flag) => flag.startsWith('--abci='))!.slice('--abci='.length)
    expect(parseAbciAddress(address)).toEqual({ path: '/run/abci/abci.sock' })
  })

  const kubectl = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0
  test.skipIf(!kubectl)('is read by kubectl', () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-kubernetes-'))
    try {
      writeFileSync(join(folder, 'manifest.yaml'), readFileSync(path))
      writeFileSync(join(folder, 'kustomization.yaml'), 'resources: [manifest.yaml]\n')
      const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout.match(/^kind: /gm)).toHaveLength(objects.length)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
