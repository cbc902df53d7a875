// SPDX-License-Identifier: GPL-3.0-or-later

/** What a value must be. Text of the environment and of flags is read by the same rules. */
export type Kind =
  | { readonly is: 'path' }
  | { readonly is: 'text'; readonly charsMax: number }
  | { readonly is: 'secret'; readonly charsMax: number }
  | { readonly is: 'host' }
  | { readonly is: 'flag' }
  | { readonly is: 'zone' }
  | { readonly is: 'places' }
  | { readonly is: 'integer'; readonly min: number; readonly max: number }
  | { readonly is: 'choice'; readonly of: readonly string[] }

export interface Setting {
  readonly kind: Kind
  readonly env: string
  /** Without the dashes. */
  readonly flag: string
  /** Whom it concerns: the daemon, or the commands that talk to one. */
  readonly side: 'daemon' | 'client' | 'both'
  /** False for what must be known before the file can be found. */
  readonly inFile: boolean
  readonly says: string
}

const port: Kind = { is: 'integer', min: 0, max: 65_535 }

const setting = (
  side: Setting['side'],
  kind: Kind,
  env: string,
  flag: string,
  says: string,
  inFile = true,
): Setting => ({ side, kind, env, flag, says, inFile })

/** Every setting there is, by its name in the file (a dot is a level). */
export const SETTINGS = {
  data: setting('both', { is: 'path' }, 'SHALLOT_DATA', 'data', "the daemon's directory", false),
  owner: setting('client', { is: 'path' }, 'SHALLOT_OWNER', 'owner', "the owner's directory", false),
  identity: setting(
    'client',
    { is: 'path' },
    'SHALLOT_IDENTITY',
    'as',
    'a script’s key file: act by its grants, and not as the owner',
    false,
  ),
  home: setting(
    'client',
    { is: 'secret', charsMax: 4096 },
    'SHALLOT_HOME',
    'home',
    'a home elsewhere: its shallot:home: code, or a file that holds it',
    false,
  ),
  'client.torSocks': setting(
    'client',
    { is: 'text', charsMax: 256 },
    'SHALLOT_TOR_SOCKS',
    'tor-socks',
    "a running tor's SOCKS: a unix socket's path, or host:port",
    false,
  ),
  'client.torrcExtra': setting(
    'client',
    { is: 'path' },
    'SHALLOT_TORRC_EXTRA',
    'torrc-extra',
    'a file of lines added to the torrc of a tor of our own',
    false,
  ),
  'link.host': setting(
    'daemon',
    { is: 'host' },
    'SHALLOT_LINK_HOST',
    'link-host',
    'where devices connect; enrolment codes carry it, or this machine’s address for a wildcard',
  ),
  'link.port': setting('daemon', port, 'SHALLOT_LINK_PORT', 'link-port', 'where devices connect'),
  'link.discovery': setting(
    'daemon',
    { is: 'flag' },
    'SHALLOT_LINK_DISCOVERY',
    'link-discovery',
    'whether devices of this home that ask the LAN where their hub is get an answer',
  ),
  'link.places': setting(
    'daemon',
    { is: 'places' },
    'SHALLOT_LINK_PLACES',
    'link-places',
    'where else devices may find this hub one day: up to four of address:port, with commas between',
  ),
  'lan.enabled': setting(
    'daemon',
    { is: 'flag' },
    'SHALLOT_LAN_ENABLED',
    'lan',
    'whether the API is offered on the LAN',
  ),
  'lan.host': setting(
    'daemon',
    { is: 'host' },
    'SHALLOT_LAN_HOST',
    'lan-host',
    'the address of the LAN page',
  ),
  'lan.port': setting('daemon', port, 'SHALLOT_LAN_PORT', 'lan-port', 'the port of the LAN page'),
  'tor.kind': setting(
    'daemon',
    { is: 'choice', of: ['child', 'existing', 'off'] },
    'SHALLOT_TOR',
    'tor',
    'a tor of our own, one that runs already, or none',
  ),
  'tor.binary': setting(
    'daemon',
    { is: 'text', charsMax: 1024 },
    'SHALLOT_TOR_BINARY',
    'tor-binary',
    'the tor program',
  ),
  'tor.controlSocket': setting(
    'daemon',
    { is: 'path' },
    'SHALLOT_TOR_CONTROL_SOCKET',
    'tor-control-socket',
    'the control socket of an existing tor',
  ),
  'tor.socksSocket': setting(
    'daemon',
    { is: 'path' },
    'SHALLOT_TOR_SOCKS_SOCKET',
    'tor-socks-socket',
    'the SOCKS socket of an existing tor',
  ),
  'tor.torrcExtra': setting(
    'daemon',
    { is: 'path' },
    'SHALLOT_TOR_TORRC_EXTRA',
    'tor-torrc-extra',
    "a file of lines added to our own tor's torrc",
  ),
  zone: setting(
    'daemon',
    { is: 'zone' },
    'SHALLOT_ZONE',
    'zone',
    'where the hours of grants are local, such as Europe/Berlin; the system’s if not said',
  ),
  retention: setting(
    'daemon',
    { is: 'integer', min: 0, max: 36_500 },
    'SHALLOT_RETENTION',
    'retention',
    'days after which entries of the log of acts go; 0: never',
  ),
  past: setting(
    'daemon',
    { is: 'integer', min: 1, max: 36_500 },
    'SHALLOT_PAST',
    'past',
    'days for which grants that ended or were taken back are still shown; the log keeps what was done',
  ),
  'mesh.resolution': setting(
    'daemon',
    { is: 'integer', min: 0, max: 86_400 },
    'SHALLOT_MESH_RESOLUTION',
    'mesh-resolution',
    'seconds of which one value of each property of other homes is kept here; 0: all of them',
  ),
  'mesh.guests': setting(
    'daemon',
    { is: 'integer', min: 0, max: 128 },
    'SHALLOT_MESH_GUESTS',
    'mesh-guests',
    'onion addresses that are offered here to phones and scripts that other homes let in; 0: none',
  ),
  'log.level': setting(
    'daemon',
    { is: 'choice', of: ['debug', 'info', 'warn', 'error'] },
    'SHALLOT_LOG_LEVEL',
    'log-level',
    'the least that is logged',
  ),
} as const satisfies Record<string, Setting>

export type Key = keyof typeof SETTINGS

export const KEYS = Object.keys(SETTINGS) as Key[]

export function settingOfFlag(flag: string): Key | undefined {
  return KEYS.find((key) => SETTINGS[key].flag === flag)
}
