/* Times in the reader's language, kept true; and the parts of the page that have changed, as the server tells of them. */
;(() => {
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'long' })
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' })
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })
  const units = [
    ['day', 86400],
    ['hour', 3600],
    ['minute', 60],
    ['second', 1],
  ]

  function ago(at) {
    const seconds = Math.round((at - Date.now()) / 1000)
    if (Math.abs(seconds) < 10) return relative.format(0, 'second')
    const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size)
    return relative.format(Math.trunc(seconds / size), unit)
  }

  function tellTimes() {
    for (const time of document.querySelectorAll('time[data-ago], time[data-clock]')) {
      const at = new Date(time.dateTime)
      const text = 'clock' in time.dataset ? clock.format(at) : ago(at)
      if (time.textContent !== text) time.textContent = text
      const title = exact.format(at)
      if (time.title !== title) time.title = title
    }
  }

  tellTimes()
  setInterval(tellTimes, 10_000)

  const watch = document.body.dataset.watch
  if (!watch || !window.EventSource) return
  const shown = new Map()
  const pulse = document.getElementById('pulse')
  const said = document.getElementById('said')

  function partsIn(page) {
    return [...page.querySelectorAll('[data-live]')].map(({ id }) => id).join()
  }

  /** Replaces what differs, and leaves what is focused or open as it was. */
  function swap(markup) {
    const fresh = new DOMParser().parseFromString(`<main>${markup}</main>`, 'text/html')
    // Another page by now: the first agent is there, or what was shown is gone.
    if (partsIn(fresh) !== partsIn(document)) return location.reload()
    let isNew = false
    for (const part of fresh.querySelectorAll('[data-live]')) {
      const now = document.getElementById(part.id)
      const text = part.innerHTML.replace(/>[^<]*<\/time>/g, '></time>')
      if (!now || shown.get(part.id) === text) continue
      isNew ||= shown.has(part.id)
      shown.set(part.id, text)
      replace(now, part)
    }
    tellTimes()
    if (isNew) said.textContent = 'The page was updated.'
  }

  function replace(now, part) {
    const open = [...now.querySelectorAll('details[open] > summary')].map((summary) => summary.textContent)
    const focused = now.contains(document.activeElement) ? document.activeElement : undefined
    const scrolled = now.querySelector('.log')?.scrollTop
    now.innerHTML = part.innerHTML
    for (const summary of now.querySelectorAll('details > summary'))
      if (open.includes(summary.textContent)) summary.parentElement.open = true
    const log = now.querySelector('.log')
    if (log && scrolled !== undefined) log.scrollTop = scrolled
    if (!focused) return
    const again = [...now.querySelectorAll('a, button, summary, [tabindex]')].find(
      (one) => one.outerHTML === focused.outerHTML || (one.href && one.href === focused.href),
    )
    again?.focus()
  }

  const events = new EventSource(watch)
  events.onopen = () => (pulse.hidden = false)
  events.onerror = () => (pulse.hidden = true)
  events.onmessage = ({ data }) => swap(JSON.parse(data))
  events.addEventListener('over', () => {
    events.close()
    location.reload()
  })
})()
