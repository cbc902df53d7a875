// SPDX-License-Identifier: GPL-3.0-or-later
import { HOMES } from '../support/state.ts'
import { confirmationBookContract } from './confirmation-book.ts'
import { deviceBookContract } from './device-book.ts'
import { journalContract } from './journal.ts'
import {
  pairingBookContract,
  paperBookContract,
  pastBookContract,
  tokenBookContract,
  useBookContract,
} from './people-books.ts'
import { permitBookContract } from './permit-book.ts'
import { readingBookContract } from './reading-book.ts'
import { serviceBookContract } from './service-book.ts'

for (const [where, open] of HOMES) {
  deviceBookContract(where, open)
  readingBookContract(where, open)
  journalContract(where, open)
  permitBookContract(where, open)
  serviceBookContract(where, open)
  paperBookContract(where, open)
  pastBookContract(where, open)
  pairingBookContract(where, open)
  tokenBookContract(where, open)
  useBookContract(where, open)
  confirmationBookContract(where, open)
}
