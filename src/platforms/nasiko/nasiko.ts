import type { Platform } from '../platform.ts'
import { inspectSecondZip, inspectZip, maxBytes, maxEntries } from './zip-rules.ts'
import { Settings } from './settings.ts'

export const nasiko: Platform<Settings> = {
  id: 'nasiko',
  title: 'Nasiko',
  docs: 'https://docs.nasiko.com',
  settings: Settings,
  env: {
    baseUrl: 'NASIKO_BASE_URL',
    credentials: [['NASIKO_TOKEN'], ['NASIKO_ACCESS_KEY', 'NASIKO_ACCESS_SECRET']],
  },
  defaultBaseUrl: 'https://nasiko.dev',
  tokenCredential: 'NASIKO_TOKEN',
  bundle: {
    format: 'zip',
    maxBytes,
    maxEntries,
    inspect: (files, { generation }) => (generation === 2 ? inspectSecondZip(files) : inspectZip(files)),
  },
  fetchesSource: (settings) => settings.source === 'github',
  strategies: ['rolling', 'blue-green'],
  strategiesFor: ({ generation }) => (generation === 2 ? [] : ['rolling', 'blue-green']),
  keepsReleaseVersion: true,
  async connect(target, io) {
    if (target.settings.generation === 2) return (await import('./second.ts')).secondClient(target, io)
    return (await import('./client.ts')).nasikoClient(target, io)
  },
}
