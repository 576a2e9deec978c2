/** What people write in comments, understood; pure. */

export const commandNames = ['rollback', 'deploy', 'plan', 'status', 'hold', 'resume', 'cancel', 'help'] as const
export type CommandName = (typeof commandNames)[number]

export type ParsedCommand =
  | {
      readonly kind: 'command'
      readonly name: CommandName
      /** Names of agents, as written. */
      readonly words: readonly string[]
      /** Only of `/rollback`. */
      readonly version: string | undefined
      readonly reason: string | undefined
      /** The line, for the reply. */
      readonly line: string
    }
  | { readonly kind: 'typo'; readonly word: string; readonly meant: CommandName; readonly line: string }

/** A comment with more is not a conversation. */
export const mostCommands = 10
/** Whoever wrote a command that long ago has seen that nothing happened, and done something else about it. */
export const commandLifeMs = 60 * 60_000
/** These change nothing: they may be answered at any time. */
export const tellOnly: readonly CommandName[] = ['plan', 'status', 'help']
const longestReason = 300
const longestLine = 200

/** Every line that starts with a command, outside of code, quotes and HTML comments. */
export function parseComment(body: string): readonly ParsedCommand[] {
  const found: ParsedCommand[] = []
  for (const line of plainLines(body)) {
    const command = parseLine(line)
    if (command) found.push(command)
  }
  return found.slice(0, mostCommands)
}

/** CommonMark, as far as it matters: fences, indented code, quotes, HTML comments. */
function plainLines(body: string): string[] {
  const plain: string[] = []
  let fence: string | undefined
  for (const line of withoutHtmlComments(body).split(/\r\n|\r|\n/)) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence !== undefined) {
      const closes = mark?.startsWith(fence) && line.trim() === mark
      if (closes) fence = undefined
    } else if (mark) fence = mark
    else if (/^ {0,3}\//.test(line)) plain.push(line.trim())
  }
  return plain
}

/** One that is not closed hides the rest, as GitHub shows it. */
function withoutHtmlComments(body: string): string {
  return body.replace(/<!--[\s\S]*?(?:-->|$)/g, (hidden) => hidden.replace(/[^\n]/g, ''))
}

function parseLine(line: string): ParsedCommand | undefined {
  const [, word = '', rest = ''] = /^\/([a-z-]+)(?=[\s,:]|$)[,:]?(.*)$/i.exec(line) ?? []
  if (word === '') return undefined
  const shown = line.slice(0, longestLine)
  const name = commandNames.find((candidate) => candidate === word.toLowerCase())
  if (!name) {
    const meant = suggestion(word.toLowerCase())
    return meant && { kind: 'typo', word, meant, line: shown }
  }
  const { args, reason } = splitReason(rest)
  const words: string[] = []
  let version: string | undefined
  for (const raw of args.split(/[\s,]+/)) {
    const argument = raw.replace(/^[`'"]+|[`'".]+$/g, '')
    if (argument === '' || (name === 'rollback' && argument.toLowerCase() === 'to')) continue
    const [agent = '', at] = name === 'rollback' ? splitAt(argument) : [argument]
    if (at !== undefined) version = at
    if (name === 'rollback' && at === undefined && looksLikeVersion(agent)) version = agent
    else if (agent !== '' && !words.includes(agent)) words.push(agent)
  }
  return { kind: 'command', name, words, version, reason, line: shown }
}

/** `agent@1.2.0` */
function splitAt(argument: string): [string, string | undefined] {
  const at = argument.lastIndexOf('@')
  const version = at >= 0 ? argument.slice(at + 1) : ''
  return looksLikeVersion(version) ? [argument.slice(0, at), version] : [argument, undefined]
}

function looksLikeVersion(word: string): boolean {
  return /^v?\d+(?:\.\d+){0,2}(?:[-+][\w.+-]+)?$/.test(word)
}

/** After `--`, which phones and editors like to turn into a dash. */
function splitReason(rest: string): { args: string; reason: string | undefined } {
  const mark = /(?:^|\s)(?:--|—|–)(?:\s+|(?=\S)|$)/.exec(rest)
  if (!mark) return { args: rest, reason: undefined }
  const reason = rest
    .slice(mark.index + mark[0].length)
    .trim()
    .slice(0, longestReason)
  return { args: rest.slice(0, mark.index), reason: reason === '' ? undefined : reason }
}

/** A word that is nearly a command; other bots' commands are not. */
function suggestion(word: string): CommandName | undefined {
  return commandNames.find((name) => distance(word, name) <= (name.length <= 4 ? 1 : 2) && word.length >= 3)
}

/** Damerau–Levenshtein (optimal string alignment): how many letters are wrong, missing, too many or swapped. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const at = (i: number, j: number) => rows[i]?.[j] ?? Infinity
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Infinity
      rows[i]?.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + change, swapped))
    }
  }
  return at(a.length, b.length)
}
