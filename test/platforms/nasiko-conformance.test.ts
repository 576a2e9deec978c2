import { nasikoCase } from './cases/nasiko.ts'
import { describePlatform } from './conformance.ts'

describePlatform(nasikoCase)
