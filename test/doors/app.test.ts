import { shelfCase } from '../platforms/cases/shelf.ts'
import { openApp } from './app.ts'
import { cases } from './cases.ts'
import { tellStory } from './story.ts'

/** A fifth platform needs no more than the recipe says; the built Action knows those of the registry only. */
tellStory('through the App', { cases: { ...cases, shelf: shelfCase }, open: openApp })
