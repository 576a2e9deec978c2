import type { PlatformCase } from '../platforms/case.ts'
import { nanonetsCase } from '../platforms/cases/nanonets.ts'
import { nasikoSecondCase } from '../platforms/cases/nasiko-second.ts'
import { nasikoCase } from '../platforms/cases/nasiko.ts'
import { nullspaceJob, nullspacePinned, nullspaceService } from '../platforms/cases/nullspace.ts'
import { qoderCase } from '../platforms/cases/qoder.ts'

/** Every platform that goes through both doors; another one is another line. */
export const cases: Readonly<Record<string, PlatformCase>> = {
  nasiko: nasikoCase,
  nasikosecond: nasikoSecondCase,
  job: nullspaceJob,
  service: nullspaceService,
  pinned: nullspacePinned,
  nanonets: nanonetsCase,
  qoder: qoderCase,
}
