import { existsSync } from 'node:fs'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, chromium, type Page } from 'playwright-core'
import { ensureDebianPackage } from './debian.ts'

const executable = '/usr/bin/chromium'

/** Why there can be no browser here; undefined when there is one. In CI it throws instead. */
export const missingBrowser = await ensureDebianPackage('chromium', () => existsSync(executable))

export async function startBrowser(): Promise<Browser> {
  // As root, Chromium's own sandbox can't be.
  return await chromium.launch({ executablePath: executable, args: ['--no-sandbox'] })
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Finding {
  readonly id: string
  readonly impact: string | null
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

/** What axe finds serious or critical on the page as it is. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // Evaluated by the debugger, not by the page: its policy allows no script but its own.
  await page.evaluate(axe)
  const run = 'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)'
  const violations = (await page.evaluate(run)) as readonly Finding[]
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary ?? ''}`).join(' | ')}`,
    )
}
