/** `siru completion` */
import { Argument } from 'commander';
import type { Command } from 'commander';
import type { Call } from '../call.ts';

export function configure(command: Command): void {
  command
    .usage('bash|zsh|fish')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', `
Examples:
  source <(siru completion bash)
  siru completion bash > /etc/bash_completion.d/siru
  siru completion zsh > "\${fpath[1]}/_siru"
  siru completion fish > ~/.config/fish/completions/siru.fish`);
}

export async function run(call: Call, [shell]: string[]): Promise<void> {
  const { completionWords } = await import('../completion/words.ts');
  const words = completionWords(await call.wholeProgram());
  if (shell === 'bash') call.print((await import('../completion/bash.ts')).bashScript(words));
  else if (shell === 'zsh') call.print((await import('../completion/zsh.ts')).zshScript(words));
  else call.print((await import('../completion/fish.ts')).fishScript(words));
}
