/** Completion for bash. */
import { containerNames, imageNames } from './words.ts';
import type { CommandWords } from './words.ts';

export function bashScript(commands: readonly CommandWords[]): string {
  const cases = commands.map(({ path, options, operands }) => {
    const all = options.flatMap(({ names }) => names);
    const valued = options.filter(({ takesValue }) => takesValue);
    const listed = valued.filter(({ values }) => values);
    const words = Array.isArray(operands) ? operands.join(' ') : '';
    return [
      `    '${path.join(' ')}')`,
      `      options='${all.join(' ')}'`,
      `      valued='${valued.flatMap(({ names }) => names).join(' ')}'`,
      `      words='${words}'`,
      `      kind='${Array.isArray(operands) ? 'words' : operands}'`,
      ...(listed.length > 0 ? [`      case "$previous" in`, ...listed.map(({ names, values }) => `        ${names.join('|')}) choices='${values!.join(' ')}' ;;`), `      esac`] : []),
      `      ;;`,
    ].join('\n');
  });
  const groups = commands.filter(({ path, operands }) => path.length === 1 && Array.isArray(operands) && commands.some((other) => other.path.length === 2 && other.path[0] === path[0]));
  return `# bash completion for siru; load it with: source <(siru completion bash)
_siru_facts() {
  options='' valued='' words='' kind='none' choices=''
  case "$1" in
${cases.join('\n')}
  esac
}

_siru() {
  local word previous path at options valued words kind choices
  word=\${COMP_WORDS[COMP_CWORD]}
  previous=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  path=''
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "\${COMP_WORDS[at]}" in
      --root | --config) ((at++)) ;;
      -*) ;;
      *)
        path="\${path:+$path }\${COMP_WORDS[at]}"
        case "$path" in
          ${groups.map(({ path }) => path[0]).join(' | ')}) ;;
          *) break ;;
        esac
        ;;
    esac
  done
  _siru_facts "$path"
  if [[ -n $choices ]]; then
    COMPREPLY=($(compgen -W "$choices" -- "$word"))
    return
  fi
  if [[ " $valued " == *" $previous "* ]]; then
    COMPREPLY=($(compgen -f -- "$word"))
    return
  fi
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
    return
  fi
  case "$kind" in
    words) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    images)
      # A colon parts words for bash, so the part before it is taken off again.
      local whole=$word start=''
      if [[ $COMP_WORDBREAKS == *:* ]]; then
        whole=\${COMP_LINE:0:COMP_POINT}
        whole=\${whole##*[ $'\\t']}
        [[ $whole == *:* ]] && start=\${whole%:*}:
      fi
      COMPREPLY=($(compgen -W "$(${imageNames} | grep -v '<none>')" -- "$whole"))
      COMPREPLY=("\${COMPREPLY[@]#"$start"}")
      ;;
    containers) COMPREPLY=($(compgen -W "$(${containerNames})" -- "$word")) ;;
    folders) COMPREPLY=($(compgen -d -- "$word")) ;;
    files) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}

complete -o bashdefault siru -F _siru
`;
}
