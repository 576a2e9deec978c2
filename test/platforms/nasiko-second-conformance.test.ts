import { nasikoSecondCase } from './cases/nasiko-second.ts'
import { describePlatform } from './conformance.ts'

describePlatform(nasikoSecondCase)
