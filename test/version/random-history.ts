import type { Planned } from './repository.ts'

/** A small, seeded generator (mulberry32): the same seed gives the same history on every machine. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const paths = ['a/main.py', 'a/prompt.md', 'b/main.py', 'b/ü x.md', 'shared/tool.py', 'README.md']
const subjects = [
  'feat: x',
  'fix(core): x',
  'feat!: x',
  'docs: x',
  'Update',
  'perf: x (#12)',
  'chore: x [skip deploy]',
  'fixup! fix: x',
  'Merged PR 3: feat: x',
]
const bodies = [
  '',
  '',
  '',
  '\n\nbody\n\nmore',
  '\n\nBREAKING CHANGE: y',
  '\n\n* feat: a\n\n* fix: b',
  '\n\nReverts o/r#12',
  '\n\n(cherry picked from commit 0123456789abcdef0123456789abcdef01234567)',
  '\n\n',
]

/** Branches, merges both ways, renames of files and of whole folders, empty commits, squash bodies, cherry-picks, reverts of reverts, several roots, and clocks that lie. */
export function randomHistory(random: (below: number) => number, size: number): Planned[] {
  const plan: Planned[] = []
  for (let index = 0; index < size; index++) {
    const parents = parentsOf(random, index, plan.length)
    const tree = { ...plan[parents[0] ?? -1]?.tree, ...(parents[1] === undefined ? {} : plan[parents[1]]?.tree) }
    change(random, tree)
    plan.push({
      parents,
      message: messageOf(random, { plan, isMerge: parents.length > 1 }),
      tree,
      author: random(5) === 0 ? 'Zoë Ä' : 'Ann',
      time: 1_700_000_000 + index * 10 + (random(4) === 0 ? random(5000) - 2500 : 0),
    })
  }
  return plan
}

function parentsOf(random: (below: number) => number, index: number, size: number): number[] {
  if (index === 0 || random(40) === 0) return []
  const near = () => size - 1 - random(Math.min(size, 4))
  const first = random(3) === 0 ? near() : size - 1
  const second = near()
  return random(4) === 0 && second !== first ? [first, second] : [first]
}

function change(random: (below: number) => number, tree: Record<string, string>): void {
  const pick = () => paths[random(paths.length)] ?? ''
  for (let count = random(3); count > 0; count--) tree[pick()] = `content ${random(1000)}\n`.repeat(4)
  if (random(9) === 0) return moveFolder(tree)
  const [moved, target] = [pick(), pick()]
  const content = tree[moved]
  if (random(5) > 0 || content === undefined || tree[target] !== undefined) return
  delete tree[moved]
  tree[target] = content
}

/** The agent's folder gets another name, or its old one back. */
function moveFolder(tree: Record<string, string>): void {
  const isHere = Object.keys(tree).some((path) => path.startsWith('a/'))
  const [from, to] = isHere ? ['a/', 'moved/'] : ['moved/', 'a/']
  for (const [path, content] of Object.entries(tree)) {
    if (!path.startsWith(from)) continue
    delete tree[path]
    tree[to + path.slice(from.length)] = content
  }
}

/** Names earlier commits by subject only; shas are put in by `withReverts`, once they are known. */
function messageOf(
  random: (below: number) => number,
  { plan, isMerge }: { plan: readonly Planned[]; isMerge: boolean },
): string {
  const subject = `${subjects[random(subjects.length)]}`
  const earlier = plan[random(Math.max(plan.length, 1))]?.message.split('\n')[0] ?? 'x'
  const body = bodies[random(bodies.length)] ?? ''
  if (isMerge) return `Merge pull request #${random(20)} from o/b${random(2) === 0 ? '' : `\n\n${subject}`}${body}`
  if (random(5) === 0) return `Revert "${earlier}"${random(2) === 0 ? '' : ` (#${random(20)})`}${body}`
  return `${subject}${body}`
}
