import { openAction } from './action.ts'
import { cases } from './cases.ts'
import { tellStory } from './story.ts'

tellStory('through the Action', { cases, open: openAction })
