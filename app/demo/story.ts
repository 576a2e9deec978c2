import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CheckRun, Comment } from '../sandbox/github/state.ts'
import type { Narrator } from './narrator.ts'
import type { Stage } from './stage.ts'

const agent = 'search'
const source = 'agents/search/server.js'
const question = '/search?q=refund'

/** The main job, step by step; every step is looked at from outside, and one that did not happen ends the story. */
export async function tell(stage: Stage, narrator: Narrator): Promise<void> {
  const first = await firstDeploy(stage, narrator)
  const second = await feature(stage, narrator)
  const bad = await badMerge(stage, narrator)
  await refusal(stage, narrator, bad.number)
  await rollback(stage, narrator, { ...bad, from: bad.version, to: second.version })
  await heldPush(stage, narrator)
  await lookBack(stage, narrator, [first.version, second.version, bad.version])
}

async function firstDeploy(stage: Stage, narrator: Narrator) {
  narrator.chapter('1  A repository with two agents is pushed to GitHub')
  await stage.git('push', '-q', 'origin', 'main')
  const commit = await stage.git('rev-parse', 'HEAD')
  narrator.say(`git push: ${short(commit)}; the signed webhook is on its way, the app decides, bundles and uploads`)
  const check = await deployed(stage, narrator, commit)
  return { version: await answers(stage, narrator, check) }
}

async function feature(stage: Stage, narrator: Narrator) {
  narrator.chapter('2  Somebody adds a feature and pushes')
  await edit(stage, { from: 'answer(200, { found:', to: 'answer(200, { asked: wanted, found:' })
  await stage.git('commit', '-q', '-am', 'feat(search): say what was asked')
  await stage.git('push', '-q', 'origin', 'main')
  const commit = await stage.git('rev-parse', 'HEAD')
  narrator.say(`git push: ${short(commit)} "feat(search): …" is a minor release`)
  const check = await deployed(stage, narrator, commit)
  return { version: await answers(stage, narrator, check) }
}

async function badMerge(stage: Stage, narrator: Narrator) {
  const { github, repo } = stage
  narrator.chapter('3  A pull request that looks fine is merged, and is not')
  await stage.git('checkout', '-q', '-b', 'faster')
  await edit(stage, { from: '`${title} ${text}`.toLowerCase().includes(wanted)', to: 'title.startsWith(wanted)' })
  await stage.git('commit', '-q', '-am', 'perf(search): look at titles only')
  await stage.git('push', '-q', 'origin', 'faster')
  const number = await github.openPullRequest({ repo, head: 'faster', base: 'main', title: 'Faster', author: 'devon' })
  const planned = await comment(stage, narrator, { number, author: 'devon', body: '/plan' })
  assert.match(planned.body, /dry-run/, 'a plan changes nothing')
  narrator.show(excerpt(planned.body))
  const commit = await github.mergePullRequest({ repo, number, by: 'devon' })
  await stage.git('checkout', '-q', 'main')
  await stage.git('pull', '-q', 'origin', 'main')
  narrator.say(`pull request #${number} is merged as ${short(commit)}`)
  const check = await deployed(stage, narrator, commit)
  return { number, commit, version: await answers(stage, narrator, check) }
}

async function refusal(stage: Stage, narrator: Narrator, number: number): Promise<void> {
  narrator.chapter('4  A visitor wants it back, and may not')
  const reply = await comment(stage, narrator, { number, author: 'visitor', body: '/rollback' })
  assert.match(reply.body, /permission/, 'the refusal says why')
  narrator.say('refused; nothing was changed')
  narrator.show(excerpt(reply.body))
}

async function rollback(
  stage: Stage,
  narrator: Narrator,
  bad: { number: number; commit: string; from: string; to: string },
): Promise<void> {
  narrator.chapter('5  A maintainer takes it back')
  const body = `/rollback ${agent} -- it answers nonsense`
  const reply = await comment(stage, narrator, { number: bad.number, author: 'maya', body })
  assert.ok(reply.history.length > 1, 'the reply was shown before the rollback, and edited after it')
  narrator.show(excerpt(reply.body))
  const version = await serving(stage)
  assert.equal(version, bad.to, `the version before the merge is live again`)
  narrator.say(`curl ${question}: ${await ask(stage)}  (${bad.from} → ${version})`)
}

async function heldPush(stage: Stage, narrator: Narrator): Promise<void> {
  narrator.chapter('6  The agent is on hold: the next push does not bring the trouble back')
  await edit(stage, { file: 'agents/search/README.md', from: '', to: 'Search answers questions.\n' })
  await stage.git('add', '-A')
  await stage.git('commit', '-q', '-m', 'docs(search): a sentence')
  await stage.git('push', '-q', 'origin', 'main')
  const commit = await stage.git('rev-parse', 'HEAD')
  const check = await finished(stage, narrator, commit)
  assert.equal(check.conclusion, 'neutral', 'a held push has a neutral check')
  narrator.say(`check "${check.name}" on ${short(commit)}: ${check.conclusion}, ${check.output.title}`)
}

async function lookBack(stage: Stage, narrator: Narrator, versions: readonly string[]): Promise<void> {
  narrator.chapter('7  What GitHub has on record')
  const records = stage.github.repository(stage.repo).deployments.filter(({ environment }) => environment === agent)
  for (const record of records) {
    const state = record.statuses.at(-1)
    narrator.say(
      `${record.task.padEnd(8)} ${short(record.sha)}  ${state?.state.padEnd(8) ?? ''} ${state?.description ?? ''}`,
    )
  }
  assert.equal(records.filter(({ task }) => task === 'rollback').length, 1)
  assert.equal(new Set(versions).size, 3, 'three releases had three versions')
  assert.deepEqual(stage.github.violations, [], 'every request kept to GitHub’s description')
  assert.deepEqual(stage.nasiko.violations, [], 'every request kept to Nasiko’s documents')
}

/** The agent's check on a commit, once it is green. */
async function deployed(stage: Stage, narrator: Narrator, commit: string): Promise<CheckRun> {
  const check = await finished(stage, narrator, commit)
  assert.equal(check.conclusion, 'success', `${check.output.title}\n${check.output.summary}`)
  narrator.say(`check "${check.name}": ${check.conclusion}, ${check.output.title}`)
  return check
}

async function finished(stage: Stage, narrator: Narrator, commit: string): Promise<CheckRun> {
  return await narrator.until(`a check of ${agent} on ${short(commit)}`, () =>
    stage.github
      .repository(stage.repo)
      .checkRuns.find(
        ({ headSha, name, status }) =>
          headSha === commit && name === `agent-deploy / ${agent}` && status === 'completed',
      ),
  )
}

/** Asks the live agent over HTTP; the version it serves must be the one that the check names. */
async function answers(stage: Stage, narrator: Narrator, check: CheckRun): Promise<string> {
  const version = await serving(stage)
  assert.ok(check.output.title?.includes(version), `the check names ${version}, which is what answers`)
  narrator.say(`curl ${question}: ${await ask(stage)}  (version ${version})`)
  return version
}

async function serving(stage: Stage): Promise<string> {
  const response = await fetch(agentUrl(stage) + question)
  return response.headers.get('x-agent-version') ?? ''
}

function agentUrl({ nasiko, agentId }: Stage): string {
  return nasiko.agentUrl(agentId).replace(/\/$/, '')
}

async function ask(stage: Stage): Promise<string> {
  const response = await fetch(agentUrl(stage) + question)
  return (await response.text()).trim().slice(0, 100)
}

/** Writes a comment and waits for the reply's last word, which the reaction tells. */
async function comment(
  stage: Stage,
  narrator: Narrator,
  written: { number: number; author: string; body: string },
): Promise<Comment> {
  const { github, repo } = stage
  const id = github.comment({ repo, ...written })
  narrator.say(`@${written.author} comments on #${written.number}: ${written.body}`)
  const comments = () => github.repository(repo).comments
  await narrator.until('a reaction to the comment', () =>
    comments()
      .find((candidate) => candidate.id === id)
      ?.reactions.find(({ content }) => content === 'rocket' || content === 'confused'),
  )
  return await narrator.until('a reply to the comment', () =>
    comments().findLast((candidate) => candidate.number === written.number && candidate.author === 'agent-deploy[bot]'),
  )
}

async function edit(stage: Stage, change: { file?: string; from: string; to: string }): Promise<void> {
  const path = join(stage.clone, change.file ?? source)
  const before = await readFile(path, 'utf8').catch(() => '')
  assert.ok(before.includes(change.from), `${path} has the text to change`)
  await writeFile(path, change.from === '' ? before + change.to : before.replaceAll(change.from, change.to))
}

/** The first lines of a comment as a reader sees them. */
function excerpt(markdown: string): string {
  const text = markdown
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/<details>[\s\S]*?<\/details>/g, '')
    .replace(/[\u200d\\]/g, '')
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, 8)
    .join('\n')
}

function short(sha: string): string {
  return sha.slice(0, 7)
}
