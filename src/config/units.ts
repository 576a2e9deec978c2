/** `15m`, `60s`, `1h30m`, `500ms` → milliseconds; undefined when it is not a duration. */
export function parseDuration(text: string): number | undefined {
  const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
  if (!/^(\d+(ms|s|m|h))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|s|m|h)/g)) {
    total += Number(amount) * unitMs[unit as keyof typeof unitMs]
  }
  return total > 0 && Number.isSafeInteger(total) ? total : undefined
}

/** `100MB`, `5MiB`, `1.5GB`, `2048` → bytes; undefined when it is not a size. MB is 10⁶, MiB is 2²⁰. */
export function parseSize(text: string): number | undefined {
  const units = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30 } as const
  const match = /^(\d+(?:\.\d+)?) ?([KMG]?i?B)?$/i.exec(text)
  if (!match) return undefined
  const unit = (match[2] ?? 'B').toUpperCase()
  if (!(unit in units)) return undefined
  const bytes = Math.floor(Number(match[1]) * units[unit as keyof typeof units])
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined
}

/** 900000 → `15m`; 90000 → `1m30s`; 1500 → `1.5s`; 250 → `250ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`
  if (ms < 10_000 && ms % 1000 !== 0) return `${(ms / 1000).toFixed(1)}s`
  const seconds = Math.round(ms / 1000)
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'm'],
    [seconds % 60, 's'],
  ] as const
  return parts
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join('')
}

/** 104857600 → `104.9 MB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`
  return `${(bytes / 1e9).toFixed(1)} GB`
}
