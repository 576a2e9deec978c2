import { describe, expect, it } from 'vitest'
import { localPath, webUrlOf } from '../../app/sign-in.ts'

describe('where people are sent', () => {
  // asked for · where it leads
  it.each([
    ['/queue?x=1', '/queue?x=1'],
    ['//evil.example/', '/'],
    ['/\\evil.example/', '/'],
    ['https://evil.example/', '/'],
    ['javascript:alert(1)', '/'],
    ['', '/'],
  ])('%s leads to %s', async (to, path) => {
    expect(localPath(to, 'https://deploy.example')).toBe(path)
  })

  it.each([
    ['https://api.github.com', 'https://github.com'],
    ['https://api.acme.ghe.com', 'https://acme.ghe.com'],
    ['https://github.acme.example/api/v3', 'https://github.acme.example'],
    ['http://127.0.0.1:4000/api/v3', 'http://127.0.0.1:4000'],
  ])('the web of %s is %s', async (api, web) => {
    expect(webUrlOf(api)).toBe(web)
  })
})
