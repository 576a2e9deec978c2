import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isObject } from '../../src/document/canonical.ts'
import { memoryJournal } from '../support/io.ts'
import { type DocumentPlatform, documentPlatform } from '../support/document-platform.ts'
import { startStory } from '../support/story.ts'

let paper: DocumentPlatform
let story: ReturnType<typeof startStory>

beforeEach(() => {
  paper = documentPlatform()
  paper.content = { theirs: 'kept', prompt: 'by hand' }
  story = startStory(paper.platform)
})
afterEach(() => story.remove())

const file = (document: object) => ({ 'agent.yml': JSON.stringify(document) })
const commit = (document: object, entry?: object) => story.commit('feat: another', file(document), { ...entry })

describe('deploying a document', () => {
  it('sets what it gives and keeps the rest', async () => {
    await story.deploy(commit({ prompt: 'one' }))

    expect(paper.content).toEqual({ theirs: 'kept', prompt: 'one' })
  })

  it('shows in a plan what would change, and changes nothing', async () => {
    const outcome = await story.deploy(commit({ prompt: 'one', tools: ['x'] }), { dryRun: true })

    expect(outcome.changes).toEqual([
      { path: 'prompt', kind: 'changed', lines: ['- by hand', '+ one'] },
      { path: 'tools', kind: 'added', lines: ['+ [', '+   "x"', '+ ]'] },
    ])
    expect(paper.writes).toEqual([])
  })

  it('is skipped when the platform has it already, whatever the ledger says', async () => {
    const outcome = await story.deploy(commit({ prompt: 'by hand' }))

    expect(outcome).toMatchObject({ decision: 'skipped', code: 'unchanged' })
    expect(paper.keys).toEqual([])
  })

  it('takes its own write for done when the reply was lost', async () => {
    paper.losesReply = true

    const outcome = await story.deploy(commit({ prompt: 'one' }))

    expect(outcome).toMatchObject({ decision: 'deployed', code: 'released' })
    expect(paper.writes).toHaveLength(1)
  })

  it('goes on when somebody changes something else meanwhile, and keeps that', async () => {
    paper.meanwhile = () => {
      if (paper.keys.length === 1) paper.edit({ theirs: 'newer' })
    }

    const outcome = await story.deploy(commit({ prompt: 'one' }))

    expect(outcome.decision).toBe('deployed')
    expect(paper.content).toEqual({ theirs: 'newer', prompt: 'one' })
  })

  it('does not race for ever with somebody who changes something else all the time', async () => {
    paper.meanwhile = () => paper.edit({ theirs: `edit ${paper.keys.length}` })

    const outcome = await story.deploy(commit({ prompt: 'one' }))

    expect(outcome).toMatchObject({ decision: 'refused', code: 'changed-elsewhere' })
    expect(paper.keys).toHaveLength(2)
  })

  it('fails when the platform answers with something else than was sent', async () => {
    paper.alters = (content) => ({ ...content, prompt: 'shortened' })

    const outcome = await story.deploy(commit({ prompt: 'one' }))

    expect(outcome).toMatchObject({ decision: 'failed', code: 'not-as-sent' })
    expect(outcome.message).toContain('"prompt"')
  })

  describe('on a platform that keeps values in its own way', () => {
    const added = (value: unknown) => (isObject(value) ? { ...value, added: true } : value)
    const trimmed = (value: unknown) => (typeof value === 'string' ? value.trim() : added(value))
    beforeEach(() => {
      paper.alters = (content) =>
        Object.fromEntries(Object.entries(content).map(([key, value]) => [key, trimmed(value)]))
    })

    it('is done, is skipped when it comes again, and is no edit when the next comes', async () => {
      const first = await story.deploy(commit({ prompt: 'one\n', model: { name: 'x' } }))
      const again = await story.deploy(commit({ prompt: 'one\n', model: { name: 'x' } }))
      const next = await story.deploy(commit({ prompt: 'two\n', model: { name: 'x' } }))

      expect([first.code, again.code, next.code]).toEqual(['released', 'unchanged', 'released'])
      expect(paper.content).toMatchObject({ prompt: 'two', model: { name: 'x', added: true } })
      expect(next.changes?.map(({ path }) => path)).toEqual(['prompt'])
      expect(paper.writes).toHaveLength(2)
    })

    it('is found again when its reply was lost', async () => {
      paper.losesReply = true

      const outcome = await story.deploy(commit({ prompt: 'one\n' }))

      expect(outcome).toMatchObject({ decision: 'deployed', code: 'released' })
      expect(paper.writes).toHaveLength(1)
    })

    it('an edit is one, also where it only adds to what was sent', async () => {
      await story.deploy(commit({ prompt: 'one\n', model: { name: 'x' } }))
      paper.edit({ model: { name: 'x', added: true, temperature: 1 } })

      const outcome = await story.deploy(commit({ prompt: 'one\n', model: { name: 'y' } }))

      expect(outcome).toMatchObject({ decision: 'refused', code: 'changed-elsewhere' })
      expect(outcome.drift?.map(({ path }) => path)).toContain('model.temperature')
    })
  })

  it('leaves no value in the step log, the ledger or the log', async () => {
    const journal = memoryJournal()
    paper.content = { prompt: 'MARKER-before' }

    await story.deploy(commit({ prompt: 'MARKER-after' }), { io: { journal } })

    const told = JSON.stringify([[...journal.steps], story.github.deployments, story.log.lines])
    expect(told).toContain('"prompt"')
    expect(told).not.toContain('MARKER')
  })
})

describe('edits made on the platform', () => {
  it('stop a push, which shows what was set and what it is now', async () => {
    await story.deploy(commit({ prompt: 'one' }))
    paper.edit({ prompt: 'edited' })

    const outcome = await story.deploy(commit({ prompt: 'two' }))

    expect(outcome).toMatchObject({ decision: 'refused', code: 'changed-elsewhere' })
    expect(outcome.drift).toEqual([{ path: 'prompt', kind: 'changed', lines: ['- one', '+ edited'] }])
    expect(paper.content['prompt']).toBe('edited')
  })

  // Columns: what happened; the edit; what is deployed then.
  it.each<[string, object, object]>([
    ['the edit was taken over into the repository', { prompt: 'edited' }, { prompt: 'edited', tools: 2 }],
    ['the edit is of what is not managed', { theirs: 'edited' }, { prompt: 'two', tools: 1 }],
    ['what was edited is not managed any more', { tools: 7 }, { prompt: 'two' }],
    ['what was edited was not managed before', { other: 7 }, { prompt: 'one', tools: 1, other: 1 }],
  ])('do not stop a push when %s', async (_, edit, next) => {
    await story.deploy(commit({ prompt: 'one', tools: 1 }))
    paper.edit({ ...edit })

    const outcome = await story.deploy(commit(next))

    expect(outcome).toMatchObject({ decision: 'deployed', warnings: [] })
    expect(paper.content).toMatchObject(next)
  })

  it('are not seen in what a failed deploy of ours has left', async () => {
    await story.deploy(commit({ prompt: 'one' }, { deploy: { 'on-failure': 'keep' } }))
    paper.progress = () => ({ state: 'failed', reason: 'out of paper' })
    await story.deploy(commit({ prompt: 'two' }, { deploy: { 'on-failure': 'keep' } }))
    paper.progress = () => ({ state: 'live', platformVersion: 'one' })

    const outcome = await story.deploy(commit({ prompt: 'three' }))

    expect(outcome).toMatchObject({ decision: 'deployed' })
  })

  it('are a value taken away, too', async () => {
    await story.deploy(commit({ prompt: 'one', tools: 1 }))
    paper.content = { prompt: 'one' }

    const outcome = await story.deploy(commit({ prompt: 'two', tools: 2 }))

    expect(outcome).toMatchObject({ decision: 'refused', drift: [{ path: 'tools', kind: 'removed' }] })
  })
})

describe('a deploy that fails', () => {
  it('puts back the values that were there before, and takes away those that were not', async () => {
    await story.deploy(commit({ prompt: 'one' }))
    paper.meanwhile = () => {
      const failed = paper.keys.length === 2
      paper.progress = () => (failed ? { state: 'failed', reason: 'no' } : { state: 'live', platformVersion: 'one' })
    }

    const outcome = await story.deploy(commit({ prompt: 'two', tools: 1 }))

    expect(outcome).toMatchObject({ decision: 'failed', code: 'build-failed', restoredVersion: '1.0.0' })
    expect(paper.content).toEqual({ theirs: 'kept', prompt: 'one' })
  })

  it('leaves alone what never changed', async () => {
    paper = documentPlatform({
      connect: () => ({ ...notTaking(), check: async () => ({ state: 'failed', reason: 'no' }) }),
    })
    story.remove()
    story = startStory(paper.platform)

    const outcome = await story.deploy(commit({ prompt: 'two' }))

    expect(outcome.message).toContain('one is still live')
  })

  function notTaking() {
    return {
      find: async () => ({ platformVersion: 'one', content: { prompt: 'x' }, versions: [] }),
      submit: async () => ({ operation: 'deploy', platformVersion: 'one' }) as const,
    }
  }
})

describe('rolling a document back', () => {
  it('takes away what later deploys had added, and names what it can’t put back', async () => {
    await story.deploy(commit({ prompt: 'one' }))
    const second = commit({ prompt: 'two', added: 1, theirs: 'ours' })
    await story.deploy(second)

    const outcome = await story.rollback(second)

    expect(outcome).toMatchObject({ decision: 'rolled-back', releaseVersion: '1.0.0', previousVersion: '1.1.0' })
    expect(paper.content).toEqual({ theirs: 'ours', prompt: 'one' })
    expect(outcome.warnings).toEqual([expect.stringContaining('"theirs"')])
  })

  it('still takes them away when the process died before anything was sent', async () => {
    await story.deploy(commit({ prompt: 'one' }))
    const second = commit({ prompt: 'two', added: 1 })
    await story.deploy(second)
    const journal = memoryJournal()
    const again = { io: { journal }, trigger: { id: 'the-same' } }
    paper.meanwhile = () => {
      throw new Error('the process died')
    }
    await story.rollback(second, undefined, again)
    paper.meanwhile = () => undefined

    const outcome = await story.rollback(second, undefined, again)

    expect(outcome).toMatchObject({ decision: 'rolled-back', releaseVersion: '1.0.0' })
    expect(paper.content).toEqual({ theirs: 'kept', prompt: 'one' })
  })

  it('reads the config file as of that commit: the document may have had another name and place', async () => {
    const first = story.commit('feat: one', { 'old.yml': 'prompt: one\n' }, { settings: { file: 'old.yml' } })
    await story.deploy(first)
    const second = story.commit('feat: two', { 'new/agent.yml': 'prompt: two\n' }, { path: 'bots/a/new' })
    await story.deploy(second)

    const outcome = await story.rollback(second)

    expect(outcome).toMatchObject({ decision: 'rolled-back' })
    expect(paper.content['prompt']).toBe('one')
  })

  it('overwrites an edit, and says so', async () => {
    await story.deploy(commit({ prompt: 'one' }))
    const second = commit({ prompt: 'two' })
    await story.deploy(second)
    paper.edit({ prompt: 'edited' })

    const outcome = await story.rollback(second)

    expect(outcome).toMatchObject({ decision: 'rolled-back', drift: [{ path: 'prompt' }] })
    expect(outcome.warnings).toEqual([expect.stringContaining('overwrites')])
  })

  it('refuses what can’t be made again as it was', async () => {
    await story.deploy(commit({ prompt: 'one' }))
    const second = commit({ prompt: 'two' })
    await story.deploy(second)
    const [record] = story.github.deployments
    const payload = record?.payload as { agent_deploy: { digest: string } }
    payload.agent_deploy.digest = 'sha256:other'

    const outcome = await story.rollback(second)

    expect(outcome).toMatchObject({ decision: 'refused', code: 'content-not-reproducible' })
    expect(paper.content['prompt']).toBe('two')
  })

  it('refuses to go before the first deploy: nobody knows what was there', async () => {
    const first = commit({ prompt: 'one' })
    await story.deploy(first)

    const outcome = await story.rollback(first)

    expect(outcome).toMatchObject({ decision: 'refused', code: 'nothing-to-roll-back-to' })
  })
})

describe('the key of a change', () => {
  it('is the same for whoever asks for the same, and another after a rollback or a failed build', async () => {
    const first = commit({ prompt: 'one' })
    const second = commit({ prompt: 'two' })
    await story.deploy(first)
    await story.deploy(second)
    await story.rollback(second)
    await story.deploy(second, { trigger: { kind: 'comment' } })
    await story.rollback(second)

    expect(new Set(paper.keys).size).toBe(5)
  })

  it('is another when a failed build is tried again, the same when it is not known how it ended', async () => {
    const first = commit({ prompt: 'one' }, { deploy: { 'on-failure': 'keep', timeout: '10s' } })
    for (const state of ['working', 'failed', 'live'] as const) {
      paper.content = {}
      paper.progress = () =>
        ({
          working: { state, note: 'busy' },
          failed: { state, reason: 'no' },
          live: { state, platformVersion: 'one' },
        })[state] as ReturnType<typeof paper.progress>
      await story.deploy(first)
    }

    const [unknown, failed, live] = paper.keys
    expect(failed).toBe(unknown)
    expect(live).not.toBe(failed)
  })
})
