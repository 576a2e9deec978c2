import { qoderCase, qoderFirst, qoderNewest } from './cases/qoder.ts'
import { describePlatform } from './conformance.ts'

describePlatform(qoderCase)
describePlatform(qoderNewest)
describePlatform(qoderFirst)
