/** Completion for zsh. */
import { containerNames, imageNames } from './words.ts';
import type { CommandWords } from './words.ts';

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const plain = (text: string): string => text.replace(/[[\]:\\]/g, ' ').replace(/\s+/g, ' ');

export function zshScript(commands: readonly CommandWords[]): string {
  const functions = commands.map((command) => {
    const name = ['_siru', ...command.path].join('_');
    const lines = command.options.flatMap(({ names, summary, takesValue, values }) =>
      names.map((option) => {
        const value = !takesValue ? '' : values ? `:value:(${values.join(' ')})` : ':value:_files';
        return quoted(`*${option}${takesValue && option.startsWith('--') ? '=' : ''}[${plain(summary)}]${value}`);
      }));
    const { operands } = command;
    const members = commands.filter(({ path }) => path.length === command.path.length + 1 && command.path.every((word, at) => path[at] === word));
    if (members.length > 0) {
      const list = members.map(({ path, summary }) => quoted(`${path.at(-1)!}:${plain(summary)}`));
      return `${name}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C ${[...lines, "'1: :->command'", "'*:: :->rest'"].join(' \\\n    ')}
  case $state in
    command)
      local -a commands
      commands=(${list.join('\n        ')})
      _describe command commands
      ;;
    rest) (( $+functions[${name}_$line[1]] )) && ${name}_$line[1] ;;
  esac
}`;
    }
    const rest = Array.isArray(operands) ? `'1: :(${operands.join(' ')})'` : operands === 'images' ? "'*: :_siru_names'" : operands === 'containers' ? "'*: :_siru_containers'" : operands === 'folders' ? "'*: :_files -/'" : operands === 'files' ? "'*: :_files'" : "'*: :'";
    return `${name}() {\n  _arguments ${[...lines, rest].join(' \\\n    ')}\n}`;
  });
  return `#compdef siru
# zsh completion for siru; put it into a folder of $fpath as _siru
_siru_names() {
  local -a names
  names=(\${(f)"$(${imageNames} | grep -v '<none>')"})
  compadd -a names
}
_siru_containers() {
  local -a names
  names=(\${(f)"$(${containerNames})"})
  compadd -a names
}

${functions.join('\n\n')}

if [ "$funcstack[1]" = "_siru" ]; then _siru "$@"; else compdef _siru siru; fi
`;
}
