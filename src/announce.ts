import type { Agent } from './config/config.ts'
import { Postponed } from './errors.ts'
import type { GitHub, Io } from './io.ts'
import type { Outcome } from './outcome.ts'
import { renderNotes } from './release-notes.ts'

/**
 * Tag and release notes of a version that is live and verified, where the agent asks for them (REST: "Git references",
 * "Releases"). A tag is created, never moved. What can't be written becomes a warning: the deploy stands.
 */
export async function announce(outcome: Outcome, given: { agent: Agent; commit: string; io: Io }): Promise<Outcome> {
  const { agent, commit, io } = given
  if (!agent.release || outcome.code !== 'released' || !outcome.releaseVersion) return outcome
  const tag = `${agent.name}-v${outcome.releaseVersion}`
  const warn = (text: string): Outcome => ({ ...outcome, warnings: [...outcome.warnings, text] })
  if (!io.github) return warn(`The tag "${tag}" was not written: there is no GitHub token.`)
  try {
    const taken = await createTag(io.github, { tag, commit })
    if (taken !== undefined) {
      return warn(
        `The tag "${tag}" is there already, at ${taken.slice(0, 7)}: it was not moved, and no notes were written.`,
      )
    }
    await createNotes(io.github, {
      tag,
      body: renderNotes(outcome),
      isPrerelease: outcome.releaseVersion.includes('-'),
    })
    io.log.info(`${agent.name}: tagged ${tag}`, { agent: agent.name })
    return { ...outcome, tag }
  } catch (error) {
    // The App comes back to it; what was written then is found.
    if (error instanceof Postponed) throw error
    const remedy = isRefusal(error) ? ' Give the token, or the app, the permission `contents: write`.' : ''
    const detail = error instanceof Error ? error.message : String(error)
    return warn(`The release "${tag}" could not be written (${detail}).${remedy}`)
  }
}

/** The commit that the tag is at, when it is at another one. */
async function createTag(github: GitHub, given: { tag: string; commit: string }): Promise<string | undefined> {
  const { tag, commit } = given
  try {
    await github.request('POST /repos/{owner}/{repo}/git/refs', { ref: `refs/tags/${tag}`, sha: commit })
    return undefined
  } catch (error) {
    if (statusOf(error) !== 422) throw error
    const { data } = await github.request('GET /repos/{owner}/{repo}/git/ref/{ref}', { ref: `tags/${tag}` })
    const at = shaOf(data)
    return at === commit ? undefined : at
  }
}

async function createNotes(github: GitHub, given: { tag: string; body: string; isPrerelease: boolean }): Promise<void> {
  const { tag, body, isPrerelease } = given
  try {
    await github.request('POST /repos/{owner}/{repo}/releases', {
      tag_name: tag,
      name: tag,
      body,
      prerelease: isPrerelease,
    })
  } catch (error) {
    // A run that was broken off after it had written them.
    if (statusOf(error) !== 422) throw error
  }
}

function isRefusal(error: unknown): boolean {
  const status = statusOf(error)
  return status === 403 || status === 404
}

function statusOf(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : undefined
}

function shaOf(data: unknown): string {
  const object = typeof data === 'object' && data !== null && 'object' in data ? data.object : undefined
  return typeof object === 'object' && object !== null && 'sha' in object ? String(object.sha) : ''
}
