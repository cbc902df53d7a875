// SPDX-License-Identifier: GPL-3.0-or-later
import type { ThingKind } from '../kind.ts'

export type IconName = ThingKind | 'unlocked' | 'people' | 'log' | 'me'

const STROKES: Readonly<Record<IconName, string>> = {
  light: 'M9 18h6M10 21h4M12 3a6 6 0 0 0-3.6 10.8c.7.6 1.1 1.3 1.1 2.2h5c0-.9.4-1.6 1.1-2.2A6 6 0 0 0 12 3z',
  sensor: 'M10 13.5V5a2 2 0 1 1 4 0v8.5a4 4 0 1 1-4 0zM12 9v7',
  lock: 'M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3M12 14.5v2',
  unlocked: 'M6 11h12v9H6zM8 11V8a4 4 0 0 1 7.5-2M12 14.5v2',
  blind: 'M4 4h16M6 4v13h12V4M6 8h12M6 12h12M12 17v3',
  heating: 'M6 6v12M10 6v12M14 6v12M18 6v12M4 8h16M4 16h16',
  switch: 'M12 3v9M6.3 7.5a8 8 0 1 0 11.4 0',
  camera: 'M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z',
  other: 'M5 5h14v14H5zM9 9h6v6H9z',
  people:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 19c.7-3.5 3-4.5 6-4.5s5.3 1 6 4.5M16 4.5a3.5 3.5 0 0 1 0 6M17.5 15c2 .5 3 1.7 3.5 4',
  log: 'M5 6h14M5 12h14M5 18h9',
  me: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM5 20c1-4 4-5 7-5s6 1 7 5',
}

/** Only looks: what it means stands beside it in words. */
export function Icon({ name, lit = false }: { name: IconName; lit?: boolean }) {
  return (
    <svg class={lit ? 'icon lit' : 'icon'} viewBox="0 0 24 24" aria-hidden="true">
      <path d={STROKES[name]} />
    </svg>
  )
}
