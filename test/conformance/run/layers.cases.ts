/** RUN: kinds of changes, and what they are in a layer. */
import type { Case } from '../case.ts';

const on = (lines: string, base = 'base/busybox'): string => `FROM ${base}\n${lines}\n`;
const long = 'n'.repeat(200);

export const cases: Case[] = [
  { name: 'device-nodes', dockerfile: on('RUN mknod /null c 1 3 && mknod -m 640 /tty c 5 0') },
  {
    name: 'device-nodes-of-the-console', dockerfile: on('RUN mknod -m 600 /console c 5 1; true'),
    differs: { section: 'Network and isolation', why: 'such a node would open the machine', shows: /^- layer 0: console char/ },
  },
  { name: 'long-names', dockerfile: on(`RUN mkdir -p /${long}/${long} && echo x > /${long}/${long}/f && ln -s /${long}/${long} /l && ln /${long}/${long}/f /${long}/h`) },
  { name: 'odd-names', dockerfile: on('RUN mkdir /o && cd /o && touch "a b" "q\\"q" $\'new\\nline\' "ä日本" "*" "back\\\\slash" " lead" "trail " -- "-dash" "tab\tx"') },
  { name: 'names-that-are-no-text', dockerfile: on('RUN mkdir /o && touch "$(printf \'/o/\\377\\376\')" "$(printf \'/o/a\\200z\')"') },
  { name: 'names-sorted-around-slash', dockerfile: on('RUN mkdir /s /s/a /s/a.b && touch /s/a/x /s/a.b/x /s/a-b /s/a0') },
  { name: 'large-numbers-of-owners', dockerfile: on('RUN touch /a && chown 2097152:4000000 /a && touch /b && chown 2147483647:65534 /b') },
  { name: 'old-and-far-times', dockerfile: on('RUN mkdir /t && touch -d @1 /t/one && touch -d @4102444800 /t/far'), times: /^t\/./ },
  { name: 'setuid-kept-and-lost', dockerfile: on('RUN cp /bin/busybox /a && chmod 4755 /a && chown 5 /a && echo x > /b && chmod 6755 /b && echo y >> /b && echo > /a') },
  { name: 'folder-becomes-link', dockerfile: on('RUN rm -r /tree/dir && ln -s /tree/empty /tree/dir && touch /tree/dir/through', 'base/tree') },
  { name: 'link-becomes-folder', dockerfile: on('RUN rm /linked && mkdir /linked && touch /linked/x', 'base/tree') },
  { name: 'hard-link-to-a-file-below', dockerfile: on('RUN ln /tree/owned /tree/again', 'base/tree') },
  { name: 'written-hard-link-below', dockerfile: on('RUN echo more >> /tree/zhard', 'base/tree') },
  { name: 'removed-with-all-above', dockerfile: on('RUN rm -r /tree', 'base/tree') },
  { name: 'removed-and-made-in-two-steps', dockerfile: on('RUN rm -r /tree\nRUN mkdir /tree && touch /tree/new\nRUN rm /tree/new', 'base/tree') },
  { name: 'made-and-removed-over-steps', dockerfile: on('RUN mkdir -p /a/b && touch /a/b/c\nRUN rm -r /a/b\nRUN rmdir /a') },
  { name: 'whiteout-comes-back', dockerfile: on('RUN mkdir /tree/gone-dir && touch /tree/gone-dir/new && touch /tree/gone', 'base/tree') },
  { name: 'mode-of-the-root', dockerfile: on('RUN chmod 700 /\nRUN touch /x') },
  { name: 'link-changed', dockerfile: on('RUN ln -sf owned /tree/link && chown -h 3:4 /tree/dangling', 'base/tree') },
  { name: 'fifo-changed', dockerfile: on('RUN chmod 600 /tree/fifo', 'base/tree') },
  { name: 'touched-without-change', dockerfile: on('RUN touch -d @1700000000 /tree/file; chmod 644 /tree/late; cat /tree/owned > /dev/null', 'base/tree') },
  { name: 'same-content-written-again', dockerfile: on('RUN echo one > /tree/file', 'base/tree') },
  { name: 'renamed-file', dockerfile: on('RUN mv /tree/owned /tree/moved && mv /tree/suid /suid', 'base/tree') },
  { name: 'empty-files-and-folders', dockerfile: on('RUN mkdir -p /e/e/e && touch /e/f && : > /e/e/g') },
  { name: 'below-tmp-and-root', dockerfile: on('RUN mkdir /tmp/a && touch /root/b && touch /var/www/c') },
  { name: 'in-dev-and-proc', dockerfile: on('RUN mkdir -p /dev/x /dev/shm/y && touch /dev/x/z /run 2> /dev/null; true') },
  { name: 'mounted-over-run', dockerfile: on('RUN mkdir -p /run/a && touch /run/a/b\nRUN --mount=type=tmpfs,target=/run touch /run/c && ls /run > /out') },
  { name: 'cache-does-not-land', dockerfile: on('RUN --mount=type=cache,target=/tmp/cache touch /tmp/cache/x /tmp/y') },
  { name: 'sparse', dockerfile: on('RUN dd if=/dev/zero of=/sparse bs=1 count=1 seek=1048575 2> /dev/null') },
  { name: 'socket', dockerfile: on('RUN (timeout 1 nc -l -U /sock || true) 2> /dev/null; nc -lk local:/s2 2> /dev/null & sleep 0.2; kill $! 2> /dev/null; touch /done') },
  { name: 'two-layers-without-change', dockerfile: on('RUN true\nENV a=1\nRUN true\nWORKDIR /etc\nRUN true') },
];
