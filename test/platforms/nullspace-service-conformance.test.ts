import { nullspacePinned, nullspaceService } from './cases/nullspace.ts'
import { describePlatform } from './conformance.ts'

describePlatform(nullspaceService)
describePlatform(nullspacePinned)
