import { pathToFileURL } from 'node:url'
import { DeployError, explain } from '../src/errors.ts'
import { platforms } from '../src/platforms/index.ts'
import { wallClock } from './clock.ts'
import type { Finding } from './finding.ts'
import { examine } from './examine.ts'
import { isNotSetUp, readSettings, type Settings } from './env.ts'

/** `npm run doctor`: what is right, what is not, and what to do. Ends with 1 when something must be done. */
export async function diagnose(
  env: Readonly<Record<string, string | undefined>>,
  given: { folder: string; fetch: typeof fetch },
): Promise<readonly Finding[]> {
  if (isNotSetUp(env))
    return [
      {
        name: 'settings',
        problem: 'nothing is configured',
        remedy: 'Run `npm start`, which offers to create the GitHub App.',
      },
    ]
  const settings = settingsOf(env, given.folder)
  if ('problem' in settings) return [settings]
  return [{ name: 'settings' }, ...(await examine(settings, { clock: wallClock, fetch: given.fetch, platforms }))]
}

function settingsOf(env: Readonly<Record<string, string | undefined>>, folder: string): Settings | Required<Finding> {
  try {
    return readSettings(env, { platforms, folder })
  } catch (error) {
    if (!(error instanceof DeployError)) throw error
    return { name: 'settings', problem: error.message, remedy: error.help, note: '' }
  }
}

function print({ name, problem, remedy, note }: Finding): void {
  const text =
    problem === undefined ? `✓ ${name}${note ? `: ${note}` : ''}` : `✗ ${name}: ${problem}\n  ${remedy ?? ''}`
  process.stdout.write(`${text}\n`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    const findings = await diagnose(process.env, { folder: process.cwd(), fetch })
    for (const finding of findings) print(finding)
    process.exitCode = findings.some(({ problem }) => problem !== undefined) ? 1 : 0
  } catch (error) {
    const { message, help } = explain(error)
    process.stderr.write(`${message}\n${help}\n`)
    process.exitCode = 1
  }
}
