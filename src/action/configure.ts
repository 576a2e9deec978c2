import { parse } from 'yaml'
import * as z from 'zod/mini'
import type { Agent, Config } from '../config/config.ts'
import { parseConfig, strategiesOf } from '../config/parse.ts'
import { parseDuration } from '../config/units.ts'
import { fail } from '../errors.ts'
import type { Platform } from '../platforms/platform.ts'
import type { Inputs } from './inputs.ts'

/** The config of a run: the file, or the one agent that the inputs describe; what inputs say wins over the file. */
export async function configure(
  inputs: Inputs,
  from: { platforms: readonly Platform[]; readFile: (path: string) => Promise<string | undefined> },
): Promise<Config> {
  const config = inputs.platform === undefined ? await fromFile(inputs, from) : fromInputs(inputs, from.platforms)
  return { ...config, agents: config.agents.map((agent) => override(agent, inputs)) }
}

async function fromFile(inputs: Inputs, from: Parameters<typeof configure>[1]): Promise<Config> {
  const text = await from.readFile(inputs.config)
  if (text === undefined) throw fail('config-missing', { path: inputs.config })
  return parseConfig(text, { path: inputs.config, platforms: from.platforms })
}

/** One agent without any file: the same checks, by way of the same schema. */
function fromInputs(inputs: Inputs, platforms: readonly Platform[]): Config {
  const { platform, 'agent-id': id } = inputs
  const settings = readSettings(inputs.settings)
  if (id === undefined && !isFoundByName(settings, { platform, platforms }))
    throw fail('input-invalid', { input: 'agent-id', value: '', problem: 'it is needed together with `platform`' })
  const name = inputs.agent?.[0] ?? nameFrom(inputs.environment ?? id ?? '')
  const entry = { platform, ...(id === undefined ? {} : { id }), path: inputs.path ?? '.', settings }
  const file = JSON.stringify({ version: 1, agents: { [name]: entry } })
  return parseConfig(file, { path: 'the inputs', platforms })
}

function isFoundByName(settings: unknown, from: { platform: string | undefined; platforms: readonly Platform[] }) {
  const platform = from.platforms.find(({ id }) => id === from.platform)
  const parsed = platform?.settings.safeParse(settings)
  return parsed?.success === true && platform?.findsByName?.(parsed.data) === true
}

function nameFrom(text: string): string {
  const name = text.replace(/[^a-z0-9._-]+/gi, '-').replace(/^[^a-z0-9]+|[^a-z0-9]+$/gi, '')
  return name.slice(0, 64) || 'agent'
}

function readSettings(text: string | undefined): unknown {
  if (text === undefined) return {}
  try {
    return z.record(z.string(), z.unknown()).parse(parse(text))
  } catch (error) {
    throw fail(
      'input-invalid',
      { input: 'settings', value: text.slice(0, 80), problem: 'it is not a YAML mapping' },
      error,
    )
  }
}

function override(agent: Agent, inputs: Inputs): Agent {
  const { strategy } = inputs
  const known = strategiesOf(agent.platform, agent.settings)
  if (strategy !== undefined && !known.includes(strategy)) {
    throw fail('strategy-unsupported', { strategy, platform: agent.platform.title, known })
  }
  const timeoutMs = inputs.timeout === undefined ? undefined : parseDuration(inputs.timeout)
  return {
    ...agent,
    environment: inputs.environment ?? agent.environment,
    version: inputs.version ?? agent.version,
    release: inputs.release ?? agent.release,
    deploy: {
      ...agent.deploy,
      strategy: strategy ?? agent.deploy.strategy,
      cleanupOld: inputs['cleanup-old'] ?? agent.deploy.cleanupOld,
      timeoutMs: timeoutMs ?? agent.deploy.timeoutMs,
      onFailure: inputs['on-failure'] ?? agent.deploy.onFailure,
    },
    bundle: {
      ...agent.bundle,
      include: inputs.include ?? agent.bundle.include,
      exclude: inputs.exclude ?? agent.bundle.exclude,
    },
  }
}
