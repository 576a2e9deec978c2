import { nanonets } from './nanonets/nanonets.ts'
import { nasiko } from './nasiko/nasiko.ts'
import { nullspace } from './nullspace/nullspace.ts'
import type { Platform } from './platform.ts'
import { qoder } from './qoder/qoder.ts'

/** The only list of platforms. */
export const platforms: readonly Platform[] = [
  nasiko as Platform,
  nullspace as Platform,
  nanonets as Platform,
  qoder as Platform,
]
