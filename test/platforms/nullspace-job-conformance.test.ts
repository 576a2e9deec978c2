import { nullspaceJob, nullspaceJobOtherwise } from './cases/nullspace.ts'
import { describePlatform } from './conformance.ts'

describePlatform(nullspaceJob)
describePlatform(nullspaceJobOtherwise)
