import type { Bundle } from '../../src/bundle/bundle.ts'
import { packBundle, type Packing } from '../../src/bundle/pack.ts'
import type { Content } from '../support/repository.ts'

/** The bundle of a tree that is on disk below `root`, as a tar unless another is asked for. */
export async function packTree(
  tree: Readonly<Record<string, Content>>,
  given: { root: string; out: string } & Partial<Packing>,
): Promise<Bundle> {
  const { root, ...over } = given
  const paths = Object.keys(tree).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return await packBundle({
    checkout: { root, files: paths.map((path) => ({ path, state: 'tracked' })) },
    agentPath: '',
    rules: { include: [], exclude: [], allowSecrets: [], maxBytes: undefined, maxEntries: undefined },
    format: 'tar',
    agent: 'bot',
    platform: 'Nullspace',
    inspect: undefined,
    signal: new AbortController().signal,
    ...over,
  })
}
