import { describe, expect, it } from 'vitest'
import { parseComment } from '../../app/command.ts'

const command = (name: string, given: { words?: string[]; version?: string; reason?: string } = {}) => ({
  kind: 'command',
  name,
  words: given.words ?? [],
  version: given.version,
  reason: given.reason,
})

describe('a comment with commands', () => {
  it.each([
    // body, what is understood
    ['/rollback', [command('rollback')]],
    ['/ROLLBACK', [command('rollback')]],
    ['  /rollback  ', [command('rollback')]],
    ['/rollback support-bot', [command('rollback', { words: ['support-bot'] })]],
    ['/rollback a, b c', [command('rollback', { words: ['a', 'b', 'c'] })]],
    ['/rollback a a', [command('rollback', { words: ['a'] })]],
    ['/rollback `a`', [command('rollback', { words: ['a'] })]],
    ['/rollback 1.2.0', [command('rollback', { version: '1.2.0' })]],
    ['/rollback v7', [command('rollback', { version: 'v7' })]],
    ['/rollback a v1.2.0', [command('rollback', { words: ['a'], version: 'v1.2.0' })]],
    ['/rollback a to 1.2.0', [command('rollback', { words: ['a'], version: '1.2.0' })]],
    ['/rollback a@1.2.0-rc.1', [command('rollback', { words: ['a'], version: '1.2.0-rc.1' })]],
    ['/rollback a -- too slow', [command('rollback', { words: ['a'], reason: 'too slow' })]],
    ['/rollback --too slow', [command('rollback', { reason: 'too slow' })]],
    ['/rollback — too slow', [command('rollback', { reason: 'too slow' })]],
    ['/rollback --', [command('rollback')]],
    ['/rollback my-agent', [command('rollback', { words: ['my-agent'] })]],
    ['/deploy 1.2.0', [command('deploy', { words: ['1.2.0'] })]],
    ['/hold a -- freeze', [command('hold', { words: ['a'], reason: 'freeze' })]],
    ['/status\n/help', [command('status'), command('help')]],
    ['Bad!\r\n/rollback\r\nThanks', [command('rollback')]],
    ['> it said\n/rollback', [command('rollback')]],
  ])('%j is understood', (body, expected) => {
    expect(parseComment(body)).toMatchObject(expected)
  })

  it.each([
    ['an ordinary comment', 'Looks good, we can roll back later with /rollback.'],
    ['an empty one', ''],
    ['a quote', '> /rollback'],
    ['a fence', '```\n/rollback\n```'],
    ['a fence with a language', '```sh\n/rollback\n```\n'],
    ['a longer fence around a shorter one', '````\n```\n/rollback\n````'],
    ['a fence of tildes', '~~~\n/rollback\n~~~'],
    ['a fence that is never closed', '```\n/rollback'],
    ['indented code', 'see\n\n    /rollback'],
    ['a tab', '\t/rollback'],
    ['a list', '- /rollback'],
    ['an HTML comment', '<!--\n/rollback\n-->'],
    ['an HTML comment that is never closed', 'hello\n<!-- \n/rollback'],
    ['a path', '/usr/bin/env'],
    ['another bot’s command', '/lgtm\n/assign @ada\n/label bug\n/retest\n/approve'],
  ])('%s is none', (_, body) => {
    expect(parseComment(body)).toEqual([])
  })

  it.each([
    ['/rolback', 'rollback'],
    ['/rollbakc a', 'rollback'],
    ['/roll-back', 'rollback'],
    ['/depoly', 'deploy'],
    ['/statsu', 'status'],
    ['/hlep', 'help'],
    ['/resum', 'resume'],
  ])('%j is taken for a slip of the keys', (body, meant) => {
    expect(parseComment(body)).toMatchObject([{ kind: 'typo', meant }])
  })

  it('a command after a closed fence counts', () => {
    expect(parseComment('```\nlog\n```\n/rollback')).toHaveLength(1)
  })

  it('takes ten commands at most', () => {
    expect(parseComment('/help\n'.repeat(50))).toHaveLength(10)
  })
})
