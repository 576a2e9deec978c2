import { qoderCase, qoderFirst, qoderNewest, qoderOwnWay } from './cases/qoder.ts'
import { describePlatform } from './conformance.ts'

describePlatform(qoderCase)
describePlatform(qoderNewest)
describePlatform(qoderFirst)
describePlatform(qoderOwnWay)
