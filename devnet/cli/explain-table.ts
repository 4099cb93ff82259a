/**
 * Every code outside of the compiler's catalogue: what it means, and what to do. 70xx words and flags, 71xx project and
 * config, 72xx bundles and templates, 73xx files, 74xx gas, 75xx programs we start, 76xx tests, 81xx engine, 82xx store and
 * chain, 83xx messages, 84xx network and ports, 85xx snapshots and dumps, 9999 us. A code is never used again.
 */
export interface Explanation {
  readonly text: string
  readonly fix: string
}

const entry = (text: string, fix: string): Explanation => ({ text, fix })

export const EXPLANATIONS: Readonly<Record<number, Explanation>> = {
  7000: entry('The first word is no command of troupe.', '`troupe --help` lists the commands.'),
  7001: entry(
    'The command has no such flag, or the flag lacks its value.',
    '`troupe <command> --help` lists its flags.',
  ),
  7002: entry('The value of a flag is not what the flag takes, mostly a number.', 'The message says what is expected.'),
  7003: entry('The command needs one more word.', 'The fix line shows the command whole.'),
  7004: entry(
    'There is no such network profile.',
    '`ipc` has the rules of IPC, `filecoin` those of the newest Filecoin network.',
  ),
  7005: entry('There is no such way to decide blocks.', '`--consensus bft`, `instant` or `cometbft`.'),
  7006: entry('--network names nothing.', 'Give a URL, `local`, or a name below `networks` in troupe.config.ts.'),
  7007: entry('There is no such code.', '`troupe explain` without a word lists them all.'),
  7008: entry('The second word, or the form, is none that the command has.', '`troupe <command> --help` shows them.'),
  7009: entry(
    'A text is no amount.',
    'FIL as 1.5 or 1.5fil, attoFIL as 100attofil; at most 18 decimals, not negative.',
  ),
  7101: entry(
    'troupe.config.ts has an unknown key, or a value of the wrong kind.',
    'The message names the key; every key is optional.',
  ),
  7102: entry(
    'The project cannot be opened: its config is missing or exports nothing.',
    'Write `export default defineConfig({})` with `defineConfig` from `troupe`, or leave --config out.',
  ),
  7103: entry(
    'troupe.config.ts cannot be loaded: a syntax error, or an import that fails.',
    'Run `npm install`, then look at the message: it is that of the file itself.',
  ),
  7104: entry(
    'The project has no actor of that name or file.',
    'Actors are classes below `@actor` in `*.actor.ts` files of the actors folder.',
  ),
  7105: entry(
    'Two files have an actor of the same name.',
    'Rename one class: deployments, calls and reloads go by the name.',
  ),
  7106: entry('The project has no actors.', 'Write `actors/counter.actor.ts`, or begin with `troupe init`.'),
  7107: entry('A file is no ABI file.', '`troupe build` writes `<Actor>.abi.json` into .troupe/build.'),
  7108: entry(
    'The file does not contain what is asked for: a wasm has no interface, an ABI no code.',
    'Name the actor instead of the file.',
  ),
  7109: entry(
    'The network.json of a node, or its key, is not what it should be.',
    'The message names the key of the file; `troupe node --new-network` writes good ones.',
  ),
  7201: entry(
    'The file is no bundle of built-in actors.',
    'A bundle is a CAR with one root, the manifest [1, data], and the code of every actor it names.',
  ),
  7202: entry('The bundle cannot be read.', 'Check the path after --bundle, or `bundle` in the config.'),
  7203: entry('There is no such template.', '`troupe init --help` lists the templates.'),
  7204: entry(
    'The folder has files, and init does not write over them.',
    'Choose another folder, or give -y to add what is missing; existing files stay.',
  ),
  7301: entry(
    'The file is no test vector, or of a kind that this engine does not run.',
    'Give files of the conformance corpus.',
  ),
  7302: entry('The folder or file of vectors does not exist.', 'Check the path.'),
  7303: entry('A file that was named cannot be read.', 'Check the path and its permissions.'),
  7304: entry('A file cannot be written.', 'Check that its folder exists, its permissions, and the room on the disk.'),
  7305: entry(
    'The folder for a new network is there already, perhaps with keys.',
    'Name a folder that is new, or remove the old one when its keys are no longer needed.',
  ),
  7306: entry(
    'The file is no recording of a network, or is damaged.',
    'Record again with `troupe dev --record <file>`.',
  ),
  7401: entry(
    'No test run has left gas figures.',
    'Run `troupe test`; the plugin of troupe/vitest writes .troupe/runs/last.json.',
  ),
  7402: entry('The project keeps no gas snapshot.', '`troupe gas snapshot` writes .gas-snapshot.json; commit it.'),
  7501: entry('vitest is not installed.', 'Run `npm install`.'),
  7601: entry(
    'A test uses something that is no actor.',
    'Import the class from its `*.actor.ts` file, with `plugins: [troupe()]` in vitest.config.ts.',
  ),
  7602: entry(
    'The bundle of built-in actors is missing, so no world can begin.',
    'Reinstall the package; in its own repository, run `npm run build`.',
  ),
  7603: entry(
    'A message of a test needs more than this machine has, also on the thread with the largest stack.',
    'The message says what is missing; the actor may be right.',
  ),
  7604: entry(
    '`connect` of troupe/test found no devnet where it looked.',
    'Run `troupe dev` in the project, or give `connect` or TROUPE_URL the address of a devnet.',
  ),
  7605: entry(
    'The state of an actor on a devnet is too large to be read whole by a test.',
    'Read what the test needs through a view of the actor.',
  ),
  7606: entry(
    'Nobody is at the address, or has the name, on the devnet.',
    '`troupe accounts` and `troupe inspect` say who is.',
  ),
  7607: entry(
    'In a world of validators that vote, what the test waits for did not come about: too few of them hear each other.',
    'End the faults with `net.faults.clear()`, expect the failure, or give `world` more patienceSeconds.',
  ),
  8100: entry(
    'The engine was given a state or options that no network has.',
    'This happens to programs that use `troupe/fvm`: check version, epoch and state root.',
  ),
  8101: entry(
    'The manifest of built-in actors in the state cannot be read.',
    'Begin a new chain with `troupe dev --reset`, or check the bundle.',
  ),
  8102: entry(
    'A new state links to blocks that do not exist.',
    'An actor set its root to something that it did not write; the message was undone.',
  ),
  8110: entry(
    'The message cannot be run at all: sender, sequence, gas limit or fee are wrong.',
    'The message names the rule. Usually the sender lacks funds: `troupe fund`.',
  ),
  8201: entry(
    'The chain has stopped, because its disk failed or a block could not be finished.',
    'Blocks that were acknowledged are safe. Restart the devnet; look at the first error it printed.',
  ),
  8202: entry('Another process has the state folder open.', 'Stop the other devnet, or give `--state` another folder.'),
  8203: entry('A later release wrote the state folder.', 'Update troupe, or begin a new chain with --reset.'),
  8204: entry(
    'The state folder holds no readable chain.',
    'Restore it from a copy, or begin a new chain with --reset.',
  ),
  8205: entry('The state folder cannot be written.', 'Change its permissions, or give `--state` another folder.'),
  8206: entry('There is no room left for the state.', 'Free some and go on; nothing that was acknowledged is lost.'),
  8207: entry('The disk failed under the state folder.', 'Check the disk, then restart.'),
  8208: entry(
    'LMDB, the database below the state folder, does not load on this machine.',
    'Run with --no-persist: the chain is kept in memory.',
  ),
  8209: entry('The state folder was used after it was closed.', 'Restart; if it comes back, report it.'),
  8210: entry('The state folder cannot be opened.', 'The message says why.'),
  8211: entry('A devnet runs on this state.', 'Stop it first, then repeat the command.'),
  8212: entry('The command would destroy something and nobody is there to ask.', 'Give -y when that is what you want.'),
  8213: entry(
    'The way in which blocks are decided has no such power: other processes decide too.',
    'The message names the power; `--consensus instant` has all of them.',
  ),
  8214: entry(
    'Application, blocks and state of consensus in the state folder do not belong together.',
    'The message says at what heights they are. Restore the folder from a copy, or begin a new chain with --reset.',
  ),
  8215: entry(
    'There is no CometBFT to run, or one of a release that is not spoken.',
    'Install v0.38.25, put it on the PATH or name it in COMETBFT_BIN; `--consensus instant` needs none.',
  ),
  8216: entry(
    'A validator’s journal is damaged before its end: nobody knows what it signed.',
    'Restore it from a copy. Remove it only if no other node can hold votes of this validator for the height it was at.',
  ),
  8217: entry(
    'The chain began with another number of validators.',
    'Leave --validators out, or begin a new chain with --reset.',
  ),
  8218: entry(
    'An earlier release wrote the state folder.',
    'Go on with that release, or begin a new chain with --reset.',
  ),
  8301: entry(
    'A value does not fit its type in the ABI.',
    'The message names the parameter; the fix line shows what the method takes.',
  ),
  8302: entry('The node does not accept what it was asked: a bad address, CID or number.', 'The message names it.'),
  8303: entry(
    'A message ended with an exit code other than 0; nothing of it stayed but the fee.',
    'Codes from 32 on are the actor’s own. `troupe trace last` shows where it failed.',
  ),
  8304: entry(
    'The node refused the message before it was in a block.',
    'The message says why: sequence, funds, signature or size.',
  ),
  8305: entry(
    'The network knows no actor by this name, or not its interface.',
    'Deploy it with `troupe deploy`, or give an address with the number of the method.',
  ),
  8306: entry('The actor has no method of this name.', '`troupe inspect <Actor> methods` lists them.'),
  8401: entry('The port is taken.', 'Choose another with --port; without --strict-port the next free one is used.'),
  8402: entry(
    'Nothing answers at the address of the network.',
    'Start a devnet with `troupe dev`, or choose another with --network.',
  ),
  8403: entry('The server cannot listen.', 'Check --host and --port.'),
  8404: entry(
    'The node failed while it answered.',
    'Look at what the node printed; `troupe doctor` checks the installation.',
  ),
  8405: entry(
    'The node is no devnet of Troupe’s: it does not know the method.',
    'Check --network; genuine networks have no devnet powers.',
  ),
  8406: entry(
    'The node does not let this caller use its powers.',
    'Powers are for programs on the same machine, unless the devnet was started with --allow-remote-powers.',
  ),
  8407: entry('The port for the other nodes cannot be had.', 'Change `listen` in network.json, or free the port.'),
  8501: entry('There is no snapshot of that name.', '`troupe snapshot list` shows them.'),
  8502: entry(
    'The chain no longer has the block of the snapshot.',
    'It was made on another chain, or above a block that was restored since. Save a new one.',
  ),
  8503: entry('The file is no dump of a state.', '`troupe state dump -o file` writes one.'),
  8504: entry(
    'The actor has no state of its own to show or change, or not such a field.',
    '`troupe inspect <Actor> state` lists the fields.',
  ),
  9999: entry('A bug of Troupe’s.', 'Please report it with everything that was printed.'),
}
