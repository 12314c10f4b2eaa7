/**
 * Files in which package managers note when they ran and what the disk looked like (times of status changes, numbers of
 * inodes). None is needed: logs, and caches that are made again. `--reproducible` leaves them out of layers, as those who make
 * the images of distributions do.
 */
export const machineNotes: readonly string[] = [
  'var/cache/apt/pkgcache.bin',
  'var/cache/apt/srcpkgcache.bin',
  'var/cache/ldconfig/aux-cache',
  'var/log/alternatives.log',
  'var/log/apk.log',
  'var/log/apt/eipp.log.xz',
  'var/log/apt/history.log',
  'var/log/apt/term.log',
  'var/log/dnf.librepo.log',
  'var/log/dnf.log',
  'var/log/dnf.rpm.log',
  'var/log/dnf5.log',
  'var/log/dpkg.log',
  'var/log/hawkey.log',
  'var/log/yum.log',
];
