import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createPlace, type Place, settled } from '../support/app.ts'
import { missingBrowser, seriousFindings, startBrowser } from '../support/browser.ts'
import { startDashboard, type TestDashboard } from '../support/dashboard.ts'
import { fleetAtWork, fleetStory } from '../support/fleet.ts'
import { memoryPlatform, type MemoryPlatform } from '../support/memory-platform.ts'
import { gitRemote } from '../support/repository.ts'

const about = missingBrowser === undefined ? 'in Chromium' : `in Chromium (left out: ${missingBrowser})`

describe.skipIf(missingBrowser !== undefined)(about, () => {
  let browser: Browser
  let place: Place
  let app: TestDashboard
  let page: Page
  /** What the browser complained about: a policy that was broken, a script that threw, a file that is not there. */
  let complaints: string[]

  beforeAll(async () => {
    browser = await startBrowser()
  })

  afterAll(async () => {
    await browser.close()
  })

  async function open(options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
    const opened = await browser.newPage(options)
    complaints = []
    opened.on('console', (message) => {
      // Chromium repeats the status of refusals that are meant.
      if (message.type() === 'error' && !/status of 40[134]/.test(message.text())) complaints.push(message.text())
    })
    opened.on('pageerror', (error) => void complaints.push(error.message))
    return opened
  }

  describe('every view', () => {
    const shots = mkdtempSync(join(tmpdir(), 'agent-deploy-dashboard-'))
    let views: Readonly<Record<string, string>>

    beforeAll(async () => {
      place = await createPlace()
      const story = await fleetStory(place.dataDir)
      app = await startDashboard(place)
      const running = await fleetAtWork(app.app)
      const elsewhere = { workflow: '/agents/1/onboarding', recorded: '/operations/ledger/1/90377' }
      const others = { running, ...elsewhere, queue: '/queue', lost: '/nowhere' }
      views = { fleet: '/', agent: '/agents/1/support-bot', ...story, ...others }
    })

    afterAll(async () => {
      await app.stop()
      await place.close()
    })

    // device · width · colours
    it.each([
      ['phone', 390, 'light'],
      ['phone', 390, 'dark'],
      ['desktop', 1280, 'light'],
      ['desktop', 1280, 'dark'],
    ] as const)(
      'on a %s (%i px, %s) fits, has nothing that axe finds serious, and breaks no rule',
      async (device, width, colorScheme) => {
        page = await open({ viewport: { width, height: 844 }, colorScheme })
        const findings: Record<string, readonly string[]> = {}
        const widths: number[] = []
        for (const [name, path] of Object.entries(views)) {
          await page.goto(app.url + path)
          findings[name] = await seriousFindings(page)
          widths.push(await page.evaluate('document.documentElement.scrollWidth'))
          await page.screenshot({ path: join(shots, `${name}-${device}-${colorScheme}.png`), fullPage: true })
        }
        await page.close()

        expect(findings).toEqual(Object.fromEntries(Object.keys(views).map((name) => [name, []])))
        expect(Math.max(...widths)).toBeLessThanOrEqual(width)
        expect(complaints).toEqual([])
      },
    )

    it('is reached by keyboard: the first stop leads past the menu, and focus is seen', async () => {
      page = await open()
      await page.goto(app.url)
      await page.keyboard.press('Tab')
      const first = await page.evaluate('document.activeElement.textContent')
      const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
      await page.keyboard.press('Enter')
      await page.keyboard.press('Tab')
      const second = (await page.evaluate('document.activeElement.closest("main") !== null')) as boolean
      await page.close()

      expect([first, outline, second]).toEqual(['Skip to the content', 'solid', true])
    })

    it('has times in the reader’s own words, exact on hover', async () => {
      page = await open({ locale: 'de-DE', timezoneId: 'Europe/Berlin' })
      await page.goto(`${app.url}/agents/1/support-bot`)
      const time = page.locator('.facts time').first()
      const [text, title] = [await time.textContent(), await time.getAttribute('title')]
      await page.close()

      expect(text).toMatch(/^vor \d+ Minuten$/)
      expect(title).toMatch(/MEZ|MESZ|GMT\+[12]/)
    })

    it('filters into the address, which can be shared', async () => {
      page = await open()
      await page.goto(app.url)
      await page.getByLabel('State').selectOption('held')
      await page.getByRole('button', { name: 'Filter' }).click()
      await page.waitForURL(/state=held/)
      const names = await page.locator('.rows tbody th a').allTextContents()
      await page.close()

      expect(names).toEqual(['support-bot'])
    })
  })

  it('an empty fleet shows the first deploy without anybody doing anything', async () => {
    const fresh = await createPlace()
    const started = await startDashboard(fresh)
    page = await open()
    await page.goto(started.url)
    const empty = await page.locator('main').textContent()
    await page.locator('.pulse').waitFor()
    await gitRemote(fresh.work, 'push', '-q', 'origin', 'main')
    await page.locator('.rows .version', { hasText: '1.0.1' }).waitFor()
    await page.close()
    await started.stop()
    await fresh.close()

    expect(empty).toContain('No agent has been deployed yet')
    expect(complaints).toEqual([])
  })

  describe('with people', () => {
    let memory: MemoryPlatform

    beforeEach(async () => {
      place = await createPlace()
      await place.github.addRepository({ owner: 'acme', name: 'elsewhere', private: true })
      place.github.setPermission('acme/elsewhere', 'boss', 'admin')
      memory = memoryPlatform()
      app = await startDashboard(place, { signIn: true, memory })
      await gitRemote(place.work, 'push', '-q', 'origin', 'main')
      await settled(app, place.github)
      page = await open()
    })

    afterEach(async () => {
      await page.close()
      await app.stop()
      const { violations } = place.github
      await place.close()
      expect(violations).toEqual([])
      expect(complaints).toEqual([])
    })

    async function signIn(login: string): Promise<void> {
      await page.goto(app.url)
      await page.getByRole('link', { name: 'Sign in with GitHub' }).click()
      await page.getByRole('link', { name: `Authorize as ${login}` }).click()
      await page.getByText(`@${login}`).first().waitFor()
    }

    it('a deploy is followed live, step by step, without a reload', async () => {
      await signIn('ada')
      await page.evaluate('window.isSame = true')
      let busy = true
      const live = memory.progress
      memory.progress = (ticket) => (busy ? { state: 'working', note: 'building' } : live(ticket))
      await place.push({ tree: { 'agents/support/main.py': 'version = 2\n' }, message: 'fix: two' })
      await page.locator('.rows .badge', { hasText: 'working' }).waitFor()
      const before = await page.locator('.rows .version').textContent()
      busy = false
      await page.locator('.rows .version', { hasText: '1.0.2' }).waitFor()
      await page.locator('.rows .badge', { hasText: 'live' }).waitFor()
      const said = await page.getByRole('status').textContent()

      expect(before).toBe('1.0.1')
      expect(said).toBe('The page was updated.')
      expect(await page.evaluate('window.isSame')).toBe(true)
    })

    it('somebody rolls back from the page, and sees it done', async () => {
      await place.push({ tree: { 'agents/support/main.py': 'version = 2\n' }, message: 'fix: two' })
      await settled(app, place.github)
      await signIn('ada')
      await page.getByRole('link', { name: 'support-bot' }).click()
      await page.getByRole('link', { name: 'Roll back…' }).click()
      const findings = await seriousFindings(page)
      await page.getByLabel('Reason, for the record').fill('it answers nonsense')
      await page.getByRole('button', { name: 'Roll back now' }).click()
      await page.locator('.head .badge', { hasText: 'rolled-back' }).waitFor()
      await page.getByText('Done').waitFor()
      const facts = await page.locator('.facts').textContent()
      await page.getByRole('link', { name: 'support-bot', exact: true }).click()

      expect(findings).toEqual([])
      expect(memory.live).toBe('1.0.1')
      expect(facts?.replace(/\s+/g, ' ')).toContain('Reason given it answers nonsense')
      await page.getByRole('link', { name: 'Resume deploys…' }).waitFor()
      await page.locator('.head .badge', { hasText: 'on hold' }).waitFor()
    })

    it('somebody from another repository finds nothing, and signs out again', async () => {
      await signIn('boss')
      const fleet = await page.locator('main').textContent()
      const key = `${place.github.repository('acme/agents').id}/support-bot`
      const direct = await page.goto(`${app.url}/agents/${key}`)
      await page.goto(app.url)
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('link', { name: 'Sign in with GitHub' }).waitFor()

      expect(fleet).toContain('No agent has been deployed yet')
      expect(direct?.status()).toBe(404)
      expect(await page.context().cookies()).toEqual([])
    })
  })
})
