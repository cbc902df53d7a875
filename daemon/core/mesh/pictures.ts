// SPDX-License-Identifier: GPL-3.0-or-later
import type { Log } from '../../base/log.ts'
import type { PartyId } from '../model/index.ts'
import { LookShows, type ShowDeps } from './look-shows.ts'
import type { LookWord } from './look-words.ts'
import { type LookDeps, Looks } from './looks.ts'

export interface PictureDeps extends LookDeps, ShowDeps {
  readonly log: Log
}

/** Both sides of pictures between homes (SPEC 19.6): what is asked for there, and what is shown of our own. */
export class Pictures {
  readonly looks: Looks
  readonly #shows: LookShows
  readonly #log: Log

  constructor(deps: PictureDeps) {
    this.looks = new Looks(deps)
    this.#shows = new LookShows(deps)
    this.#log = deps.log
  }

  heard(peer: PartyId, word: LookWord): void {
    if (word.word === 'looked') this.looks.heardLooked(peer, word)
    else if (word.word === 'part') this.looks.heardPart(peer, word)
    else if (word.word === 'got') this.#shows.heardGot(peer, word)
    // Not waited for: it may wait for a picture.
    else this.#shows.heardLook(peer, word).catch((error) => this.#log.taskFailed('mesh', error))
  }

  gone(peer: PartyId): void {
    this.looks.gone(peer)
    this.#shows.gone(peer)
  }

  tick(): void {
    this.looks.tick()
    this.#shows.tick()
  }
}
