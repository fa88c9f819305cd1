const CONTAINERS: ReadonlySet<string> = new Set(
  'acl client cluster command config function latency memory module object pubsub script slowlog'.split(
    ' ',
  ),
);

/** A command as ACL rules write it, with its subcommand where it has one: `info`, `config|set`. */
export function commandName([name = '', subcommand]: readonly string[]): string {
  const command = name.toLowerCase();
  return subcommand !== undefined && CONTAINERS.has(command)
    ? `${command}|${subcommand.toLowerCase()}`
    : command;
}
