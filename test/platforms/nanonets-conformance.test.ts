import { nanonetsCase, nanonetsOwnWay, nanonetsPublished } from './cases/nanonets.ts'
import { describePlatform } from './conformance.ts'

describePlatform(nanonetsCase)
describePlatform(nanonetsPublished)
describePlatform(nanonetsOwnWay)
