import { openApp } from './app.ts'
import { cases } from './cases.ts'
import { tellStory } from './story.ts'

tellStory('through the App', { cases, open: openApp })
