/** Completion for fish. */
import { containerNames, imageNames } from './words.ts';
import type { CommandWords } from './words.ts';

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

export function fishScript(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ path, options, operands }) => {
    const here = path.length === 0 ? '__fish_use_subcommand' : path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    const members = commands.filter((other) => other.path.length === path.length + 1 && path.every((word, at) => other.path[at] === word));
    const notYet = path.length === 0 || members.length === 0 ? '' : `; and not __fish_seen_subcommand_from ${members.map((member) => member.path.at(-1)).join(' ')}`;
    const condition = quoted(`${here}${notYet}`);
    return [
      ...members.map((member) => `complete -c siru -f -n ${condition} -a ${member.path.at(-1)} -d ${quoted(member.summary)}`),
      ...options.map(({ names, summary, takesValue, values }) => {
        const words = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ');
        const value = !takesValue ? '' : values ? ` -x -a ${quoted(values.join(' '))}` : ' -r';
        return `complete -c siru -n ${condition} ${words}${value} -d ${quoted(summary)}`;
      }),
      ...(operands === 'images' ? [`complete -c siru -f -n ${condition} -a '(__siru_names)'`] : []),
      ...(operands === 'containers' ? [`complete -c siru -f -n ${condition} -a '(__siru_containers)'`] : []),
      ...(operands === 'none' ? [`complete -c siru -f -n ${condition}`] : []),
      ...(Array.isArray(operands) && members.length === 0 ? [`complete -c siru -f -n ${condition} -a ${quoted(operands.join(' '))}`] : []),
    ];
  });
  return `# fish completion for siru; put it into ~/.config/fish/completions/siru.fish
function __siru_names
    ${imageNames} | string match -v '*<none>*'
end

function __siru_containers
    ${containerNames}
end

${lines.join('\n')}
`;
}
